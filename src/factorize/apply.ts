import { createHash } from "node:crypto";
import { basename } from "node:path";
import { Fault } from "../shared/fault";
import type { TruncatedSvd } from "../linalg/svd";
import { FileBytes } from "../models/fileBytes";
import type { Model } from "../models/model";
import type { Plan } from "./plan";
import type { Factor } from "./scheme";
import { SCHEMES } from "./schemes";
import { isTarget, type FactorMaker, type Source } from "./source";
import { arranged } from "./target";

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
  for (const { name, action, scheme: id, ranks } of plan.layers) {
    if (action === "keep" || id === null) continue;
    const target = byName.get(name);
    const wrong = (what: string): Fault => new Fault("plan-mismatch", `The plan cannot be applied to layer ${name} of ${file}: ${what}.`, "Correct it, or make a new plan.");
    if (target === undefined) throw wrong("the model has no such layer");
    if (!isTarget(target)) throw wrong(target.reason);
    const scheme = SCHEMES[id];
    const refusal = scheme.refusal(target);
    if (refusal !== null) throw wrong(refusal);
    const full = scheme.fullRanks(target);
    if (ranks.length !== full.length || ranks.some((rank, mode) => rank > full[mode]!)) {
      throw wrong(`ranks ${ranks.join(" × ")} are out of range, the highest are ${full.join(" × ")}`);
    }
  }
}

/**
 * The factors of every layer that a plan factorizes.
 * @param onLayer told before each
 * @throws Fault not-finite
 */
export async function factorsOf(plan: Plan, model: Model, source: Pick<Source, "targets">, svd: TruncatedSvd, onLayer: (name: string, done: number, total: number) => void): Promise<Map<string, readonly Factor[]>> {
  const factors = new Map<string, readonly Factor[]>();
  const byName = new Map(model.layers.map((layer, index) => [layer.tensor.name, { layer, target: source.targets[index]! }]));
  const work = plan.layers.filter(({ action }) => action === "factorize");
  for (const [index, { name, scheme, ranks }] of work.entries()) {
    const { layer, target } = byName.get(name)!;
    if (scheme === null || !isTarget(target)) continue;
    onLayer(name, index, work.length);
    const values = arranged(target, await model.read(layer.tensor));
    if (!values.every(Number.isFinite)) throw new Fault("not-finite", `Layer ${name} holds numbers that are not finite: it has no factors.`, "Exclude it, or use an earlier checkpoint.");
    factors.set(name, await SCHEMES[scheme].factor(target, values, ranks, svd));
  }
  return factors;
}

/**
 * Factors that are made a few layers at a time, as the writer asks for them.
 * @param factors `factorsOf`, or what makes them in other processes
 */
export function makerOf(plan: Plan, source: Pick<Source, "targets">, factors: (part: Plan) => Promise<ReadonlyMap<string, readonly Factor[]>>): FactorMaker {
  const targets = new Map(source.targets.flatMap((target) => (isTarget(target) ? [[target.name, target] as const] : [])));
  const steps = new Map(plan.layers.flatMap(({ name, action, scheme, ranks }) => {
    const target = targets.get(name);
    return action === "keep" || scheme === null || target === undefined ? [] : [[name, SCHEMES[scheme].steps(target, ranks)] as const];
  }));
  return { steps, make: (names) => factors({ ...plan, layers: plan.layers.filter(({ name }) => names.includes(name)) }) };
}
