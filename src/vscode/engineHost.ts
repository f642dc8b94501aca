import { isDeepStrictEqual } from "node:util";
import type { EngineClient, EngineOptions, Subscription } from "../engine/client";
import { Cancelled } from "../shared/fault";
import type { EngineMethod, EngineMethods, EngineNotifications } from "../shared/protocol";
import type { Work } from "../shared/planning";
import type { Progress } from "../shared/report";

const LONG: ReadonlySet<EngineMethod> = new Set<EngineMethod>(["analyze", "apply", "verify", "ranksFromDifference"]);

/**
 * The engine of this window, whose process starts with the first request. Settings cannot change while it runs:
 * when they do, another engine takes its place as soon as nothing runs that takes long.
 */
export class EngineHost implements EngineClient {
  private client: EngineClient | null = null;
  private options: EngineOptions | null = null;
  /** Requests under way that an exchange would cut off. */
  private longRequests = 0;
  private disposed = false;
  private readonly progressListeners = new Set<(progress: Progress) => void>();
  private readonly workListeners = new Set<(work: Work) => void>();
  private readonly logListeners = new Set<(entry: EngineNotifications["log"]) => void>();
  private readonly renewedListeners = new Set<() => void>();

  /** @param readOptions the settings as they are now */
  constructor(
    private readonly start: (options: EngineOptions) => EngineClient,
    private readonly readOptions: () => EngineOptions,
  ) {}

  async request<M extends EngineMethod>(method: M, params: EngineMethods[M]["params"], signal?: AbortSignal): Promise<EngineMethods[M]["result"]> {
    const client = this.current();
    const long = LONG.has(method);
    if (long) this.longRequests++;
    try {
      return await client.request(method, params, signal);
    } catch (error) {
      // The engine was exchanged while it answered: its successor is asked.
      const exchanged = error instanceof Cancelled && signal?.aborted !== true && client !== this.client && !this.disposed;
      if (exchanged) return await this.request(method, params, signal);
      throw error;
    } finally {
      if (long && --this.longRequests === 0) this.renewIfChanged();
    }
  }

  onProgress(listener: (progress: Progress) => void): Subscription {
    this.progressListeners.add(listener);
    return { dispose: () => void this.progressListeners.delete(listener) };
  }

  onWork(listener: (work: Work) => void): Subscription {
    this.workListeners.add(listener);
    return { dispose: () => void this.workListeners.delete(listener) };
  }

  onLog(listener: (entry: EngineNotifications["log"]) => void): Subscription {
    this.logListeners.add(listener);
    return { dispose: () => void this.logListeners.delete(listener) };
  }

  /** Another engine with other settings took over: what was learnt of models may be different now. */
  onRenewed(listener: () => void): Subscription {
    this.renewedListeners.add(listener);
    return { dispose: () => void this.renewedListeners.delete(listener) };
  }

  /**
   * To be called when settings may have changed.
   * @returns `later`: they take effect when the running analyses have ended
   */
  settingsChanged(): "unchanged" | "now" | "later" {
    if (this.options === null || isDeepStrictEqual(this.options, this.readOptions())) return "unchanged";
    if (this.longRequests > 0) return "later";
    this.renewIfChanged();
    return "now";
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    await this.client?.dispose();
  }

  private current(): EngineClient {
    if (this.disposed) throw new Cancelled();
    if (this.client === null) {
      this.options = this.readOptions();
      this.client = this.start(this.options);
      this.client.onProgress((progress) => this.progressListeners.forEach((listener) => listener(progress)));
      this.client.onWork((work) => this.workListeners.forEach((listener) => listener(work)));
      this.client.onLog((entry) => this.logListeners.forEach((listener) => listener(entry)));
    }
    return this.client;
  }

  private renewIfChanged(): void {
    if (this.disposed || this.client === null || isDeepStrictEqual(this.options, this.readOptions())) return;
    const old = this.client;
    this.client = null;
    void old.dispose();
    for (const listener of this.renewedListeners) listener();
  }
}
