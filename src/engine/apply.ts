import { availableParallelism } from "node:os";
import { Cancelled, Fault, type PlainFault } from "../shared/fault";
import { assertPlanFits, contentHash, factorsOf } from "../factorize/apply";
import { AtomicFiles } from "../factorize/atomic";
import { planText, type Plan } from "../factorize/plan";
import { writeAll, type Output } from "../factorize/source";
import { openSource } from "../factorize/sources";
import { assertWritable } from "../factorize/writable";
import { FastSvd } from "../linalg/fast/truncatedSvd";
import { openModel } from "../models/formats";
import type { OpenOptions } from "../models/model";

/** Write the model that a plan makes of this one. */
export interface ApplyRequest {
  readonly path: string;
  readonly options: OpenOptions;
  readonly plan: Plan;
  readonly output: string;
  readonly as: Output;
  /** 0: as many as there are cores. */
  readonly threads: number;
}

/** Apply process → who asked. `written` and `fault` end it. */
export type ApplyMessage =
  | { readonly type: "progress"; readonly name: string; readonly done: number; readonly total: number }
  | { readonly type: "notice"; readonly text: string }
  | { readonly type: "written"; readonly paths: readonly string[] }
  | { readonly type: "fault"; readonly fault: PlainFault };

/** @returns the files that were written: the model, what loads it, and the plan. @throws Fault */
export async function applyPlan(request: ApplyRequest, tell: (message: ApplyMessage) => void): Promise<string[]> {
  const { path, options, plan, output, as, threads } = request;
  const model = await openModel(path, options);
  try {
    const source = await openSource(model, options, as);
    const files = new AtomicFiles();
    try {
      await assertWritable(model, source, output);
      assertPlanFits(plan, await contentHash(model.files), model, source);
      const svd = new FastSvd(threads > 0 ? threads : availableParallelism(), (text) => tell({ type: "notice", text }));
      const factors = await factorsOf(plan, model, source, svd, (name, done, total) => tell({ type: "progress", name, done, total }));
      await writeAll(source, factors, output, files);
      await files.write(`${output}.plan.json`, (write) => write(Buffer.from(planText(plan))));
      return await files.commit();
    } finally {
      await files.discard();
      await source.close();
    }
  } finally {
    await model.close();
  }
}

export function applyFault(error: unknown): PlainFault {
  if (error instanceof Fault) return error.toPlain();
  if (error instanceof Cancelled) return new Fault("crashed", "The factorization was cancelled.").toPlain();
  if (error instanceof RangeError && /allocation|array length/i.test(error.message)) {
    return new Fault("out-of-memory", "A layer's factors do not fit into memory.", "Close other programs, or exclude the largest layers.").toPlain();
  }
  return new Fault("crashed", `The factorization stopped: ${error instanceof Error ? error.message : String(error)}.`, "This is a defect of RankLens: please report it.").toPlain();
}
