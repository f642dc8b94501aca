import type { EngineClient, EngineOptions } from "../../../../src/engine/client";
import { Cancelled } from "../../../../src/shared/fault";
import type { EngineMethod, EngineNotifications } from "../../../../src/shared/protocol";
import type { Work } from "../../../../src/shared/planning";
import type { Progress } from "../../../../src/shared/report";

interface Asked {
  readonly method: EngineMethod;
  readonly params: unknown;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
}

/** An engine that answers when the test says so; like the real one it ends requests at once when they are aborted. */
export class FakeEngine implements EngineClient {
  readonly asked: Asked[] = [];
  disposed = false;
  private readonly progressListeners = new Set<(progress: Progress) => void>();
  private readonly workListeners = new Set<(work: Work) => void>();
  private readonly logListeners = new Set<(entry: EngineNotifications["log"]) => void>();

  constructor(readonly options: Partial<EngineOptions> = {}) {}

  request(method: EngineMethod, params: unknown, signal?: AbortSignal): Promise<never> {
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(new Cancelled()));
      this.asked.push({ method, params, resolve, reject, signal });
    });
  }

  /** The n-th request, the latest when left out. */
  nth(index = -1): Asked {
    const asked = this.asked.at(index);
    if (asked === undefined) throw new Error(`There were ${this.asked.length} requests.`);
    return asked;
  }

  tell(progress: Partial<Progress> & Pick<Progress, "path" | "state">): void {
    const all: Progress = { done: 0, failed: 0, total: 10, estimated: 0, current: [], elapsedMs: 0, etaMs: null, ahead: 0, fault: null, ...progress };
    for (const listener of this.progressListeners) listener(all);
  }

  onProgress(listener: (progress: Progress) => void): { dispose(): void } {
    this.progressListeners.add(listener);
    return { dispose: () => void this.progressListeners.delete(listener) };
  }

  onWork(listener: (work: Work) => void): { dispose(): void } {
    this.workListeners.add(listener);
    return { dispose: () => void this.workListeners.delete(listener) };
  }

  tellWork(work: Work): void {
    for (const listener of this.workListeners) listener(work);
  }

  onLog(listener: (entry: EngineNotifications["log"]) => void): { dispose(): void } {
    this.logListeners.add(listener);
    return { dispose: () => void this.logListeners.delete(listener) };
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    for (const { reject } of this.asked) reject(new Cancelled());
  }
}

/** Lets everything that waits for answered promises run. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
