import { withSchemes, type ModelTimes } from "../../factorize/latency";
import type { SchemeId } from "../../factorize/scheme";
import { openSource } from "../../factorize/sources";
import type { Output } from "../../factorize/source";
import { openModel } from "../../models/formats";
import type { OpenOptions } from "../../models/model";
import type { Work } from "../../shared/planning";
import { timesApart, type LayerSamples } from "../latencyApart";
import { SharedWork } from "./sharedWork";

export interface LatenciesOptions {
  readonly verifyScript: string;
  readonly open: OpenOptions;
  readonly onWork: (work: Work) => void;
}

/** What is to be measured of a model. */
interface Measuring {
  readonly key: string;
  readonly path: string;
  readonly as: Output;
  /** Of all schemes that the budget chooses among. */
  readonly schemes: readonly SchemeId[];
  /** The ways to write its layers, by those of the schemes that have no times yet. */
  readonly samples: (schemes: readonly SchemeId[], signal: AbortSignal) => Promise<readonly LayerSamples[]>;
}

/** Measured times by model: no scheme of a model is measured twice. They are measured from here, as multiply-adds are counted (see `Counts`). */
export class Latencies {
  private readonly measured = new Map<string, ModelTimes>();
  private readonly measuring = new SharedWork<void>();

  constructor(private readonly options: LatenciesOptions) {}

  /** null until the model is measured. */
  known(key: string): ModelTimes | null {
    return this.measured.get(key) ?? null;
  }

  missing(key: string, schemes: readonly SchemeId[]): readonly SchemeId[] {
    const known = this.measured.get(key)?.schemes ?? [];
    return schemes.filter((scheme) => !known.includes(scheme));
  }

  /** @throws Fault when the model has no graph or does not run, Cancelled */
  async measure(asked: Measuring, signal: AbortSignal): Promise<void> {
    const schemes = this.missing(asked.key, asked.schemes);
    if (schemes.length > 0) await this.measuring.join(JSON.stringify([asked.key, schemes]), signal, (stop) => this.run(asked, schemes, stop));
  }

  stop(): void {
    this.measuring.stop();
  }

  private async run({ key, path, as, samples }: Measuring, schemes: readonly SchemeId[], signal: AbortSignal): Promise<void> {
    const { open, verifyScript, onWork } = this.options;
    const model = await openModel(path, open);
    try {
      const source = await openSource(model, open, as);
      try {
        const times = await timesApart(await samples(schemes, signal), schemes, source, path, verifyScript, signal, (done, total, layer) => onWork({ path, task: "latency", layer, done, total }));
        const before = this.measured.get(key);
        this.measured.set(key, before === undefined ? times : withSchemes(before, times));
      } finally {
        await source.close();
      }
    } finally {
      await model.close();
    }
  }
}
