import { Cancelled } from "../../shared/fault";

interface Running<R> {
  readonly stop: AbortController;
  readonly ended: Promise<R>;
  /** How many wait for it; without any it is stopped. */
  waiters: number;
}

/** Work that several may ask for: it is done once for all who wait, and ends when nobody waits any more. */
export class SharedWork<R> {
  private readonly running = new Map<string, Running<R>>();

  /**
   * Joins what runs under this key, or begins it.
   * @throws Cancelled once `signal` is aborted, and what the work throws
   */
  async join(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<R>): Promise<R> {
    if (signal.aborted) throw new Cancelled();
    const own = this.running.get(key) ?? this.begin(key, work);
    own.waiters++;
    let leave: () => void = () => undefined;
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(new Cancelled());
    });
    signal.addEventListener("abort", leave);
    try {
      return await Promise.race([own.ended, left]);
    } finally {
      signal.removeEventListener("abort", leave);
      if (--own.waiters === 0) this.end(key, own);
    }
  }

  stop(): void {
    for (const { stop } of this.running.values()) stop.abort();
  }

  private begin(key: string, work: (signal: AbortSignal) => Promise<R>): Running<R> {
    const stop = new AbortController();
    const own: Running<R> = { stop, ended: work(stop.signal), waiters: 0 };
    own.ended.catch(() => undefined);
    this.running.set(key, own);
    return own;
  }

  /** Whoever comes next begins anew. */
  private end(key: string, own: Running<R>): void {
    own.stop.abort();
    if (this.running.get(key) === own) this.running.delete(key);
  }
}
