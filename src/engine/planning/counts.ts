import { Fault } from "../../shared/fault";
import type { MultiplyAdds } from "../../factorize/multiplyAdds";
import type { Output } from "../../factorize/source";
import { openSource } from "../../factorize/sources";
import { openModel } from "../../models/formats";
import type { OpenOptions } from "../../models/model";
import { multiplyAddsApart } from "../multiplyAddsApart";
import { SharedWork } from "./sharedWork";

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
  private readonly counting = new SharedWork<void>();

  constructor(private readonly options: CountsOptions) {}

  /** @param key of the model as it is now. @returns null until it is counted */
  known(key: string): MultiplyAdds | null {
    return this.counted.get(key) ?? null;
  }

  /** Joins a count that is on the way. @throws Fault when the model does not run so, Cancelled */
  async count(key: string, path: string, as: Output, signal: AbortSignal): Promise<void> {
    if (!this.counted.has(key)) await this.counting.join(key, signal, (stop) => this.run(key, path, as, stop));
  }

  stop(): void {
    this.counting.stop();
  }

  private async run(key: string, path: string, as: Output, signal: AbortSignal): Promise<void> {
    const { open, verifyScript } = this.options;
    const model = await openModel(path, open);
    try {
      const source = await openSource(model, open, as);
      try {
        const found = await multiplyAddsApart(source, path, verifyScript, signal);
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
