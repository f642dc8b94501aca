import type { PlannerMethods, PlannerNews } from "../../src/shared/plannerPage";
import { PageHost } from "../components/pageHost";

/** The editor behind the planner. */
export class PlannerHost extends PageHost<PlannerMethods, PlannerNews> {
  private readonly listeners = new Set<() => void>();

  /** The config or its base model is another now. @returns ends the subscription */
  onChanged(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  protected told(): void {
    for (const listener of this.listeners) listener();
  }
}
