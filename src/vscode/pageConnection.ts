import { Cancelled, Fault } from "../shared/fault";
import type { PlainFault } from "../shared/fault";

/** Answers to one page's requests, by method. */
export type Handlers<Methods extends Record<keyof Methods, { params: unknown; result: unknown }>> = {
  readonly [M in keyof Methods]: (params: Methods[M]["params"], signal: AbortSignal) => Promise<Methods[M]["result"]>;
};

/** What every page gets for a request. */
export type Answer =
  | { readonly type: "answer"; readonly id: number; readonly result: unknown }
  | { readonly type: "fault"; readonly id: number; readonly fault: PlainFault };

/** One page, from its first message to the end of its editor. `News` is what it is told unasked. */
export class PageConnection<News> {
  private readonly stop = new AbortController();

  /**
   * @param post sends to the page; messages to a hidden page are lost, so it asks again when it is shown
   * @param onDefect told what is neither a fault nor a cancel
   */
  constructor(
    private readonly handlers: Readonly<Record<string, (params: never, signal: AbortSignal) => Promise<unknown>>>,
    private readonly post: (message: News | Answer) => void,
    private readonly onDefect: (error: unknown) => void,
  ) {}

  send(message: News | Answer): void {
    if (!this.stop.signal.aborted) this.post(message);
  }

  /** Every request is answered by a result or by a fault. What is no request is ignored. */
  async receive(message: unknown): Promise<void> {
    const request = asRequest(message, this.handlers);
    if (request === null) return;
    const { id, method, params } = request;
    try {
      // The compiler holds the pairs of method and params together where pages ask; here the method is a variable.
      const handler = this.handlers[method] as (params: unknown, signal: AbortSignal) => Promise<unknown>;
      this.send({ type: "answer", id, result: await handler(params, this.stop.signal) });
    } catch (error) {
      this.send({ type: "fault", id, fault: this.faultOf(error).toPlain() });
    }
  }

  /** Its editor is closed: requests in flight end; an analysis does not, it is the window's. */
  dispose(): void {
    this.stop.abort();
  }

  private faultOf(error: unknown): Fault {
    if (error instanceof Fault) return error;
    if (error instanceof Cancelled) return new Fault("engine-gone", "RankLens's background process was stopped while it answered.", "Try again.");
    this.onDefect(error);
    return new Fault("crashed", `RankLens could not answer: ${String(error)}.`, "See the log.");
  }
}

function asRequest(message: unknown, handlers: object): { id: number; method: string; params: unknown } | null {
  if (typeof message !== "object" || message === null || !("id" in message) || !("method" in message)) return null;
  const { id, method } = message;
  if (typeof id !== "number" || typeof method !== "string" || !Object.hasOwn(handlers, method)) return null;
  return { id, method, params: "params" in message ? message.params : null };
}
