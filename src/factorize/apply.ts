import { createHash } from "node:crypto";
import { basename } from "node:path";
import { Fault } from "../shared/fault";
import { readMoments } from "../calibrate/momentsFile";
import { WhitenedSvd } from "../calibrate/whitenedSvd";
import type { Gemm } from "../linalg/fast/gemm";
import type { TruncatedSvd } from "../linalg/svd";
import { FileBytes } from "../models/fileBytes";
import type { Model } from "../models/model";
import type { Plan } from "./plan";
import type { Factor, SchemeId } from "./scheme";
import { SCHEMES } from "./schemes";
import { isTarget, type FactorMaker, type Source } from "./source";
import { arranged, type Target } from "./target";
import { areFinite } from "../models/finite";

/** Bytes hashed at once. */
const CHUNK = 16 * 1024 * 1024;

/** SHA-256 of a model's files, one after the other. @throws Fault */
export async function contentHash(files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of files) {
    const file = await FileBytes.open(path);
    try {
      for (let at = 0; at < file.size; at += CHUNK) hash.update(await file.read(at, Math.min(CHUNK, file.size - at)));
    } finally {
      await file.close();
    }
  }
  return hash.digest("hex");
}

/** @throws Fault plan-mismatch when the plan was made for other bytes, or asks for what a layer cannot have */
export function assertPlanFits(plan: Plan, sha256: string, model: Model, source: Pick<Source, "targets">): void {
  const file = basename(model.summary.path);
  if (plan.source.sha256 !== sha256) {
    throw new Fault("plan-mismatch", `The plan was made for another model than ${file}: the hashes differ.`, "Make a new plan for this model.");
  }
  const byName = new Map(model.layers.map((layer, index) => [layer.tensor.name, source.targets[index]!]));
  for (const { name, action, scheme: id, ranks, calibrated } of plan.layers) {
    if (action === "keep" || id === null) continue;
    const target = byName.get(name);
    const wrong = (what: string): Fault => new Fault("plan-mismatch", `The plan cannot be applied to layer ${name} of ${file}: ${what}.`, "Correct it, or make a new plan.");
    if (target === undefined) throw wrong("the model has no such layer");
    if (!isTarget(target)) throw wrong(target.reason);
    const scheme = SCHEMES[id];
    const refusal = scheme.refusal(target);
    if (refusal !== null) throw wrong(refusal);
    if (calibrated === true && scheme.inputs === undefined) throw wrong(`factors of the ${id} scheme do not follow calibration data`);
    const full = scheme.fullRanks(target);
    if (ranks.length !== full.length || ranks.some((rank, mode) => rank > full[mode]!)) {
      throw wrong(ranks.length === 1 && full.length === 1
        ? `rank ${ranks.join("")} is out of range, the highest is ${full.join("")}`
        : `ranks ${ranks.join(" × ")} are out of range, the highest are ${full.join(" × ")}`);
    }
  }
}

/** Whether factors of a plan follow its calibration data, which then has to be there. */
export function needsData(plan: Plan): boolean {
  return plan.layers.some(({ action, calibrated }) => action === "factorize" && calibrated === true);
}

/**
 * @param sha256 of the calibration data that is there; null: none
 * @throws Fault plan-mismatch when factors follow other data, or data that is not there
 */
export function assertDataFits(plan: Plan, sha256: string | null): void {
  if (!needsData(plan)) return;
  const data = plan.calibration === undefined ? "calibration data" : `the calibration data ${plan.calibration.file}`;
  if (sha256 === null) throw new Fault("plan-mismatch", `The factors of this plan follow ${data}, which is not given.`, "Give it with --calibration.");
  if (plan.calibration?.sha256 !== sha256) throw new Fault("plan-mismatch", `The factors of this plan follow other data: ${data} had another content when it was made.`, "Give that file with --calibration, or make a new plan.");
}

/** A layer that a plan factorizes, with all that its factors need beside its values. */
export interface LayerWork {
  readonly name: string;
  /** Index in `Model.layers`. */
  readonly layer: number;
  readonly target: Target;
  readonly scheme: SchemeId;
  readonly ranks: readonly number[];
  /** The file of its moments, where its factors follow data. */
  readonly moments?: string;
}

/**
 * What a plan asks for, in its order.
 * @param plan one that `assertPlanFits` let pass
 * @param moments files of those layers whose factors follow data @throws Fault plan-mismatch where one is missing
 */
export function workOf(plan: Plan, model: Model, source: Pick<Source, "targets">, moments: ReadonlyMap<string, string> = new Map()): LayerWork[] {
  const indices = new Map(model.layers.map((layer, index) => [layer.tensor.name, index]));
  return plan.layers.flatMap(({ name, action, scheme, ranks, calibrated }) => {
    const layer = indices.get(name);
    const target = layer === undefined ? undefined : source.targets[layer];
    if (action === "keep" || scheme === null || layer === undefined || target === undefined || !isTarget(target)) return [];
    if (calibrated !== true) return [{ name, layer, target, scheme, ranks }];
    const own = moments.get(name);
    if (own === undefined) throw new Fault("plan-mismatch", `The calibration data says nothing of layer ${name}, whose factors follow it.`, "Make a new plan.");
    return [{ name, layer, target, scheme, ranks, moments: own }];
  });
}

/**
 * Factors that are made a few layers at a time, as the writer asks for them.
 * @param make what makes those of some layers, by name
 */
export function makerOf(work: readonly LayerWork[], make: FactorMaker["make"]): FactorMaker {
  return { steps: new Map(work.map(({ name, target, scheme, ranks }) => [name, SCHEMES[scheme].steps(target, ranks)])), make };
}

/** @param gemm for layers whose factors follow data @throws Fault not-finite, and those of reading */
export async function factorsFor({ name, layer, target, scheme: id, ranks, moments }: LayerWork, model: Model, svd: TruncatedSvd, gemm: () => Gemm): Promise<readonly Factor[]> {
  const values = arranged(target, await model.read(model.layers[layer]!.tensor));
  if (!areFinite(values)) throw new Fault("not-finite", `Layer ${name} holds numbers that are not finite: it has no factors.`, "Exclude it, or use an earlier checkpoint.");
  const scheme = SCHEMES[id];
  const own = moments === undefined || scheme.inputs === undefined ? svd : new WhitenedSvd(svd, gemm(), await readMoments(moments), scheme.inputs(target).side);
  return scheme.factor(target, values, ranks, own);
}
