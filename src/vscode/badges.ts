import { Cancelled, Fault } from "../shared/fault";
import type { ModelBadge } from "../shared/protocol";
import type { BadgeState } from "./badgeText";

/** Headers read at once: the list must not hold up the report that a person waits for. */
const AT_ONCE = 2;

/** What the list knows of each model: asked for when a model is drawn, a few at once, and kept until it changes. */
export class Badges {
  private readonly known = new Map<string, BadgeState>();
  /** In the order in which they were drawn. */
  private readonly waiting = new Set<string>();
  /** The latest question about each path: an older answer may be of old content. */
  private readonly asked = new Map<string, symbol>();
  private inFlight = 0;
  private listener: (path: string) => void = () => undefined;

  /**
   * @param ask the engine's `badge` request
   * @param onDefect told what is neither a fault of the file nor a cancel
   */
  constructor(
    private readonly ask: (path: string) => Promise<ModelBadge>,
    private readonly onDefect: (error: unknown) => void,
  ) {}

  /** Called with the path of each model whose badge became known. One listener: the list. */
  onKnown(listener: (path: string) => void): void {
    this.listener = listener;
  }

  /** What is known now; the rest is asked for. */
  get(path: string): BadgeState {
    const known = this.known.get(path);
    if (known !== undefined) return known;
    if (!this.asked.has(path)) this.waiting.add(path);
    this.pump();
    return { state: "unknown" };
  }

  /** The model changed (or, without a path, any may have): it is asked for again when it is drawn next. */
  forget(path?: string): void {
    for (const cache of [this.known, this.asked]) {
      if (path === undefined) cache.clear();
      else cache.delete(path);
    }
  }

  private pump(): void {
    for (const path of this.waiting) {
      if (this.inFlight >= AT_ONCE) return;
      this.waiting.delete(path);
      this.inFlight++;
      void this.fetch(path).finally(() => {
        this.inFlight--;
        this.pump();
      });
    }
  }

  private async fetch(path: string): Promise<void> {
    const question = Symbol(path);
    this.asked.set(path, question);
    const answer = await this.answerOf(path);
    if (this.asked.get(path) !== question) return;
    this.asked.delete(path);
    if (answer.state === "unknown") return;
    this.known.set(path, answer);
    this.listener(path);
  }

  private async answerOf(path: string): Promise<BadgeState> {
    try {
      return { state: "known", badge: await this.ask(path) };
    } catch (error) {
      if (error instanceof Fault) return { state: "fault", fault: error.toPlain() };
      if (!(error instanceof Cancelled)) this.onDefect(error);
      return { state: "unknown" };
    }
  }
}
