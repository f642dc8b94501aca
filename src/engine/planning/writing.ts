import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import type { Applied, ModelCheck, Work } from "../../shared/planning";
import { parsePlan } from "../../factorize/plan";
import { openModel } from "../../models/formats";
import type { OpenOptions } from "../../models/model";
import { compareLayersApart, verifyApart } from "../../verify/fork";
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
    return { written: [output, ...written.filter((file) => file !== output)], before: await this.sizeOf(path), after: await this.sizeOf(output) };
  }

  /** @param data .npz or .npy of inputs; null for seeded ones. @throws Fault, Cancelled */
  async verify({ path, candidate, plan, as, data }: { readonly path: string; readonly candidate: string; readonly plan: string; readonly as: string; readonly data: string | null }, signal: AbortSignal): Promise<ModelCheck> {
    const { verifyScript, open } = this.options;
    if (!isOutput(as)) throw new Fault("usage", `There is no output named "${as}".`, "Choose another one.");
    if (!hasGraph(path) || !hasGraph(candidate)) {
      return { kind: "layers", ...(await compareLayersApart(verifyScript, { original: path, candidate, plan: parsePlan(plan, "The plan"), as, options: open }, signal)) };
    }
    const { inputs, batches, outputs, latency } = await verifyApart(verifyScript, { original: path, candidate, data }, signal);
    return { kind: "run", inputs: data === null ? inputs : basename(data), seeded: data === null, batches, outputs, latency };
  }

  /** Parameters and bytes, from its header. */
  private async sizeOf(path: string): Promise<{ parameters: number; bytes: number }> {
    const model = await openModel(path, this.options.open);
    await model.close();
    return { parameters: model.summary.parameters, bytes: model.summary.bytes };
  }
}

/** ONNX alone says how its weights are used, so that a model can be run. */
function hasGraph(path: string): boolean {
  return path.toLowerCase().endsWith(".onnx");
}
