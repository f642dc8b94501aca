import type { HostToPage, PageMethods } from "../../src/shared/page";
import type { Progress } from "../../src/shared/report";
import { PageHost } from "../components/pageHost";

type News = Exclude<HostToPage, { type: "answer" | "fault" }>;

/** The editor behind the report. */
export class Host extends PageHost<PageMethods, News> {
  private readonly progressListeners = new Set<(progress: Progress) => void>();
  private readonly changeListeners = new Set<() => void>();

  /** @returns ends the subscription */
  onProgress(listener: (progress: Progress) => void): () => void {
    this.progressListeners.add(listener);
    return () => this.progressListeners.delete(listener);
  }

  /** @returns ends the subscription */
  onChanged(listener: () => void): () => void {
    this.changeListeners.add(listener);
    return () => this.changeListeners.delete(listener);
  }

  protected told(news: News): void {
    if (news.type === "progress") this.progressListeners.forEach((listener) => listener(news.progress));
    else this.changeListeners.forEach((listener) => listener());
  }
}
