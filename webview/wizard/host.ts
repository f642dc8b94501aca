import type { HostToWizard, WizardMethods } from "../../src/shared/wizardPage";
import { PageHost } from "../components/pageHost";

export type WizardNews = Exclude<HostToWizard, { type: "answer" | "fault" }>;

/** The side panel behind the wizard. */
export class WizardHost extends PageHost<WizardMethods, WizardNews> {
  private readonly listeners = new Set<(news: WizardNews) => void>();

  /** @returns ends the subscription */
  onNews(listener: (news: WizardNews) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  protected told(news: WizardNews): void {
    for (const listener of this.listeners) listener(news);
  }
}
