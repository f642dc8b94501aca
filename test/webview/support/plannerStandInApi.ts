import type { PlannerMethods } from "../../../src/shared/plannerPage";

export interface PlannerRequest {
  readonly id: number;
  readonly method: keyof PlannerMethods;
  readonly params: unknown;
}

/** How a test drives the stand-in for the editor around the planner: the page's global `standIn`. */
export interface PlannerStandIn {
  /** What the page asked for, oldest first. */
  readonly requests: readonly PlannerRequest[];
  /** A base model that was missing is there. */
  readonly repair: () => void;
  /** The config names another base model, and the page is told. */
  readonly rename: (name: string) => void;
}
