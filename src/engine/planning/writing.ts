import { Fault } from "../../shared/fault";
import type { Applied, ModelCheck, Work } from "../../shared/planning";
import { parsePlan } from "../../factorize/plan";
import { adapterPaths } from "../../factorize/safetensors/adapter";
import { openModel } from "../../models/formats";
import type { OpenOptions } from "../../models/model";
import { compareWeightsApart, verifyApart } from "../../verify/fork";
import { applyApart } from "../applyApart";
import { isOutput } from "./words";

export interface WritingOptions {
  readonly applyScript: string;
  readonly verifyScript: string;
  readonly open: OpenOptions;
  readonly threads: number;
  readonly onWork: (work: Work) => void;
  readonly log: (text: string) => void;
}

/** Writes what a plan says, and checks what was written, each in a process of its own: cancelling kills it. */
export class Writing {
  constructor(private readonly options: WritingOptions) {}

  /** @param plan text of a plan's file. @throws Fault, Cancelled */
  async apply({ path, plan, output, as }: { readonly path: string; readonly plan: string; readonly output: string; readonly as: string }, signal: AbortSignal): Promise<Applied> {
    const { applyScript, open, threads, onWork, log } = this.options;
    if (!isOutput(as)) throw new Fault("usage", `There is no output named "${as}".`, "Choose another one.");
    const written = await applyApart(applyScript, { path, options: open, plan: parsePlan(plan, "The plan"), output, as, threads }, signal, (message) => {
      if (message.type === "notice") log(message.text);
      if (message.type === "progress") onWork({ path, task: "apply", layer: message.name, done: message.done, total: message.total });
    });
    return { written: [output, ...written.filter((file) => file !== output)], before: await this.sizeOf([path]), after: await this.sizeOf([output, ...written.filter((file) => file === adapterPaths(output).weights)]) };
  }

  /** @param data .npz, .npy or ONNX test data of inputs; null for seeded ones. @throws Fault, Cancelled */
  async verify({ path, candidate, data }: { readonly path: string; readonly candidate: string; readonly data: string | null }, signal: AbortSignal): Promise<ModelCheck> {
    const { verifyScript } = this.options;
    if (!hasGraph(path) || !hasGraph(candidate)) {
      const { inputs, layers } = await compareWeightsApart(verifyScript, { original: path, candidate, data: null }, signal);
      return { kind: "layers", inputs, layers };
    }
    const { inputs, batches, outputs, latency, peakMemory } = await verifyApart(verifyScript, { original: path, candidate, data }, signal);
    return { kind: "run", inputs, seeded: data === null, batches, outputs, latency, ...(peakMemory === undefined ? {} : { peakMemory }) };
  }

  /** Parameters and bytes of all together, from their headers. */
  private async sizeOf(paths: readonly string[]): Promise<{ parameters: number; bytes: number }> {
    const sum = { parameters: 0, bytes: 0 };
    for (const path of paths) {
      const { summary, close } = await openModel(path, this.options.open);
      await close();
      sum.parameters += summary.parameters;
      sum.bytes += summary.bytes;
    }
    return sum;
  }
}

/** ONNX alone says how its weights are used, so that a model can be run. */
function hasGraph(path: string): boolean {
  return path.toLowerCase().endsWith(".onnx");
}
