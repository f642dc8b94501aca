import { Cancelled, Fault } from "../shared/fault";
import type { HostToPage, PageMethod } from "../shared/page";
import type { PageHandlers } from "./pageHandlers";

/** One page, from its first message to the end of its editor. */
export class PageConnection {
  private readonly stop = new AbortController();

  /**
   * @param post sends to the page; messages to a hidden page are lost, so it asks again when it is shown
   * @param onDefect told what is neither a fault nor a cancel
   */
  constructor(
    private readonly handlers: PageHandlers,
    private readonly post: (message: HostToPage) => void,
    private readonly onDefect: (error: unknown) => void,
  ) {}

  send(message: HostToPage): void {
    if (!this.stop.signal.aborted) this.post(message);
  }

  /** Every request is answered by a result or by a fault. What is no request is ignored. */
  async receive(message: unknown): Promise<void> {
    const request = asRequest(message, this.handlers);
    if (request === null) return;
    const { id, method, params } = request;
    try {
      // The compiler holds the pairs of method and params together in `PageToHost`; here the method is a variable.
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

function asRequest(message: unknown, handlers: PageHandlers): { id: number; method: PageMethod; params: unknown } | null {
  if (typeof message !== "object" || message === null || !("id" in message) || !("method" in message)) return null;
  const { id, method } = message;
  if (typeof id !== "number" || typeof method !== "string" || !Object.hasOwn(handlers, method)) return null;
  return { id, method: method as PageMethod, params: "params" in message ? message.params : null };
}
