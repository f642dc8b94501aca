import type { EngineClient } from "../../engine/client";
import type { Draft, Planning, Work } from "../../shared/planning";
import type { ReadyWish } from "../../shared/wizardPage";

interface Running {
  readonly wish: ReadyWish;
  readonly stop: AbortController;
  readonly ended: Promise<Planning>;
}

/** Makes what drafts need, for one of them at a time: the page that asked may be hidden before it ends, and asks again then. */
export class Readying {
  private running: Running | null = null;

  constructor(private readonly engine: Pick<EngineClient, "request" | "onWork">) {}

  /** What is on the way. */
  get current(): ReadyWish | null {
    return this.running?.wish ?? null;
  }

  /** Hears of its layers. */
  onWork(listener: (work: Work) => void): void {
    this.engine.onWork((work) => {
      if ((work.task === "ladders" || work.task === "latency") && work.path === this.running?.wish.path) listener(work);
    });
  }

  /** Joins what is on the way for the same draft; ends what is for another. @throws Fault, Cancelled */
  ready(path: string, draft: Draft): Promise<Planning> {
    const wish = { path, draft };
    if (this.running !== null && JSON.stringify(this.running.wish) === JSON.stringify(wish)) return this.running.ended;
    this.cancel();
    const stop = new AbortController();
    const ended = this.engine.request("ready", wish, stop.signal).finally(() => {
      if (this.running?.stop === stop) this.running = null;
    });
    this.running = { wish, stop, ended };
    return ended;
  }

  cancel(): void {
    this.running?.stop.abort();
    this.running = null;
  }
}
