import { Fault } from "../../src/shared/fault";
import type { HostToPage, PageMethod, PageMethods, PageToHost } from "../../src/shared/page";
import type { Progress } from "../../src/shared/report";

/** What the editor gives to a page, once. */
export interface PageApi {
  postMessage(message: PageToHost): void;
  getState(): unknown;
  setState(state: unknown): void;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (fault: Fault) => void;
}

/** Requests to the host with their answers, and what it tells unasked. */
export class Host {
  private nextId = 1;
  private readonly pending = new Map<number, Pending>();
  private readonly progressListeners = new Set<(progress: Progress) => void>();
  private readonly changeListeners = new Set<() => void>();

  constructor(private readonly api: Pick<PageApi, "postMessage">) {
    addEventListener("message", ({ data }: MessageEvent<HostToPage>) => this.receive(data));
  }

  /** @throws Fault (as a rejection): what the host could not do, and what to do next */
  request<M extends PageMethod>(method: M, params: PageMethods[M]["params"]): Promise<PageMethods[M]["result"]> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve: (result) => resolve(result as PageMethods[M]["result"]), reject });
      this.api.postMessage({ id, method, params } as PageToHost);
    });
  }

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

  private receive(message: HostToPage): void {
    switch (message.type) {
      case "answer": return this.take(message.id)?.resolve(message.result);
      case "fault": return this.take(message.id)?.reject(Fault.fromPlain(message.fault));
      case "progress": return this.progressListeners.forEach((listener) => listener(message.progress));
      case "changed": return this.changeListeners.forEach((listener) => listener());
    }
  }

  private take(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    return pending;
  }
}
