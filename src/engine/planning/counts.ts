import { Fault } from "../../shared/fault";
import type { MultiplyAdds } from "../../factorize/multiplyAdds";
import type { Output } from "../../factorize/source";
import { openSource } from "../../factorize/sources";
import { openModel } from "../../models/formats";
import type { OpenOptions } from "../../models/model";
import { multiplyAddsApart } from "../multiplyAddsApart";

export interface CountsOptions {
  readonly verifyScript: string;
  readonly open: OpenOptions;
}

/**
 * Multiply-adds by model, each counted once. They are counted here and not in the planning process, which is killed whenever
 * preparing is cancelled: a copy of the graph would stay in the folder for temporary files.
 */
export class Counts {
  private readonly counted = new Map<string, MultiplyAdds>();
  private readonly counting = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(private readonly options: CountsOptions) {}

  /** @param key of the model as it is now. @returns null until it is counted */
  known(key: string): MultiplyAdds | null {
    return this.counted.get(key) ?? null;
  }

  /** Joins a count that is on the way. @throws Fault when the model does not run so, Cancelled by `stop` */
  async count(key: string, path: string, as: Output): Promise<void> {
    if (this.counted.has(key)) return;
    const running = this.counting.get(key) ?? this.run(key, path, as).finally(() => this.counting.delete(key));
    this.counting.set(key, running);
    await running;
  }

  stop(): void {
    this.stopping.abort();
  }

  private async run(key: string, path: string, as: Output): Promise<void> {
    const { open, verifyScript } = this.options;
    const model = await openModel(path, open);
    try {
      const source = await openSource(model, open, as);
      try {
        const found = await multiplyAddsApart(source, path, verifyScript, this.stopping.signal);
        if (found.total === 0) throw new Fault("unsupported", "None of the layers is counted: their multiply-adds are not known.", "Give a budget in parameters or bytes.");
        this.counted.set(key, found);
      } finally {
        await source.close();
      }
    } finally {
      await model.close();
    }
  }
}
