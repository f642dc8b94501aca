import { Fault, type PlainFault } from "../../src/shared/fault";

/** What the editor gives to a page, once. */
export interface PageApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (fault: Fault) => void;
}

type Answer =
  | { readonly type: "answer"; readonly id: number; readonly result: unknown }
  | { readonly type: "fault"; readonly id: number; readonly fault: PlainFault };

/** A page's requests to its host with their answers, and what it tells unasked (`News`). */
export abstract class PageHost<Methods extends Record<keyof Methods, { params: unknown; result: unknown }>, News extends { readonly type: string }> {
  private nextId = 1;
  private readonly pending = new Map<number, Pending>();

  constructor(private readonly api: Pick<PageApi, "postMessage">) {
    addEventListener("message", ({ data }: MessageEvent<Answer | News>) => {
      if (data.type === "answer") this.take((data as Answer).id)?.resolve((data as Answer & { type: "answer" }).result);
      else if (data.type === "fault") this.take((data as Answer).id)?.reject(Fault.fromPlain((data as Answer & { type: "fault" }).fault));
      else this.told(data as News);
    });
  }

  /** @throws Fault (as a rejection): what the host could not do, and what to do next */
  request<M extends keyof Methods>(method: M, params: Methods[M]["params"]): Promise<Methods[M]["result"]> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve: (result) => resolve(result as Methods[M]["result"]), reject });
      this.api.postMessage({ id, method, params });
    });
  }

  protected abstract told(news: News): void;

  private take(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    return pending;
  }
}

/** What was thrown, as a person is told it. */
export function asFault(error: unknown): PlainFault {
  return error instanceof Fault ? error.toPlain() : { code: "crashed", message: String(error), next: "" };
}
