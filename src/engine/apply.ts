import { availableParallelism } from "node:os";
import { dirname } from "node:path";
import { Cancelled, Fault, type PlainFault } from "../shared/fault";
import { assertDataFits, assertPlanFits, contentHash, makerOf, workOf } from "../factorize/apply";
import { AtomicFiles } from "../factorize/atomic";
import { companionsOf, copyCompanion } from "../factorize/companions";
import { planText, type Plan } from "../factorize/plan";
import { planPath, writeAll, type Output } from "../factorize/source";
import { assertWritable, openSource } from "../factorize/sources";
import { openModel } from "../models/formats";
import type { OpenOptions } from "../models/model";
import { FactorWorkers } from "./factorWorkers";

/** Write the model that a plan makes of this one. */
export interface ApplyRequest {
  readonly path: string;
  readonly options: OpenOptions;
  readonly plan: Plan;
  readonly output: string;
  /** Whether the output has a folder of its own, which is yet to be made. */
  readonly makesFolder?: boolean;
  readonly as: Output;
  /** Data that the plan's factors follow, as it was looked at. */
  readonly calibration?: { readonly sha256: string; readonly moments: ReadonlyMap<string, string> };
  /** 0: as many as there are cores. */
  readonly threads: number;
}

/** Apply process → who asked. `written` and `fault` end it. */
export type ApplyMessage =
  | { readonly type: "progress"; readonly name: string; readonly done: number; readonly total: number }
  | { readonly type: "notice"; readonly text: string }
  | { readonly type: "written"; readonly paths: readonly string[] }
  | { readonly type: "fault"; readonly fault: PlainFault };

/**
 * @param script what the processes that compute factors run
 * @returns the files that were written: the model, what loads it, and the plan. @throws Fault
 */
export async function applyPlan(script: string, request: ApplyRequest, tell: (message: ApplyMessage) => void): Promise<string[]> {
  const { path, options, plan, output, as, threads } = request;
  const model = await openModel(path, options);
  try {
    const source = await openSource(model, options, as);
    const files = new AtomicFiles();
    // When the one who asked is killed, this process exits.
    const abandon = (): void => files.discardNow();
    process.once("exit", abandon);
    let workers: FactorWorkers | null = null;
    try {
      await assertWritable(source, model, output, request.makesFolder ?? false);
      if (request.makesFolder === true) files.makeFolder(dirname(output));
      const started = new FactorWorkers(script, { path, options, threads: threads > 0 ? threads : availableParallelism() }, plan.layers.filter(({ action }) => action === "factorize").length, tell);
      workers = started;
      assertPlanFits(plan, await contentHash(model.files), model, source);
      assertDataFits(plan, request.calibration?.sha256 ?? null);
      const work = workOf(plan, model, source, request.calibration?.moments);
      started.expect(work);
      await writeAll(source, makerOf(work, (names) => started.make(names)), output, files);
      for (const companion of await companionsOf(model.files, output)) await files.write(companion.to, (write) => copyCompanion(companion, write));
      await files.write(planPath(output), (write) => write(Buffer.from(planText(plan))));
      return await files.commit(output);
    } finally {
      workers?.stop();
      await files.discard();
      process.removeListener("exit", abandon);
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
