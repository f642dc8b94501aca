import { basename, dirname, join, resolve } from "node:path";
import { stat } from "node:fs/promises";
import { Fault } from "../../shared/fault";
import type { Values } from "../../models/model";
import { readValues } from "../../models/safetensors/read";
import { openCheckpoint, openShard, type Shard } from "../../models/safetensors/shards";
import type { StoredTensor } from "../../models/safetensors/header";
import { reconstructed } from "../reconstruct";
import type { Factor, Step } from "../scheme";
import { channelsOf, isConvolution, type Target } from "../target";
import { adapterPaths, factorNames, isTransposed } from "./adapter";
import { MODULES_KEY } from "./loader";
import { factorName, moduleOf } from "./names";
import { transposed } from "../../linalg/transposed";

/** A layer as a written file holds it: its factors, or its weight in the shape of its target. */
export type WrittenLayer = { readonly factors: readonly Factor[]; readonly weight: null } | { readonly factors: null; readonly weight: Values };

interface Place {
  readonly tensor: StoredTensor;
  readonly shard: Shard;
}

/** A model that RankLens wrote as safetensors, in any of its forms, read back. */
export class WrittenModel {
  private constructor(readonly files: readonly string[], private readonly places: ReadonlyMap<string, Place>, private readonly modules: ReadonlyMap<string, readonly Step[]>) {}

  /** @throws Fault of opening; unsupported for a file of another format */
  static async open(path: string): Promise<WrittenModel> {
    if (!/\.safetensors(?:\.index\.json)?$/i.test(path)) throw new Fault("unsupported", `${basename(path)} is no safetensors file.`, "Compare with the file that ranklens factorize wrote.");
    const isIndex = path.toLowerCase().endsWith(".json");
    const shards = [...isIndex ? (await openCheckpoint(path, false)).shards : [await openShard(path)]];
    const { weights } = adapterPaths(join(dirname(resolve(path)), basename(path)));
    if (await stat(weights).then((found) => found.isFile(), () => false)) shards.push(await openShard(weights));
    const modules = shards.flatMap(({ metadata }) => modulesIn(metadata.get(MODULES_KEY)));
    return new WrittenModel(
      [...(isIndex ? [path] : []), ...shards.map((shard) => shard.path)],
      new Map(shards.flatMap((shard) => shard.tensors.map((tensor) => [tensor.name, { tensor, shard }] as const))),
      new Map(modules),
    );
  }

  /** @param name of the weight in a state dict @returns null where the file has no such layer */
  async layerOf(name: string, target: Target): Promise<WrittenLayer | null> {
    const steps = this.modules.get(moduleOf(name));
    if (steps !== undefined) return this.factorsOf(name, steps, target);
    const weight = await this.read(name, target.shape);
    if (weight === null) return null;
    const added = await this.adapterOf(name, target);
    return { factors: null, weight: added === null ? weight : Float64Array.from(weight, (value, at) => value + added[at]!) };
  }

  private async factorsOf(name: string, steps: readonly Step[], target: Target): Promise<WrittenLayer | null> {
    const factors: Factor[] = [];
    for (const [index, step] of steps.entries()) {
      const values = await this.read(factorName(name, index), step.shape);
      if (values === null) return null;
      const [rows = 1, columns = 1] = step.shape;
      // The file has what follows an embedding as a Linear stores it.
      const isLinear = steps[0]?.op === "embedding" && index === 1;
      factors.push({ ...step, shape: isLinear ? [columns, rows] : step.shape, values: isLinear ? transposed(Float64Array.from(values), rows, columns) : Float64Array.from(values) });
    }
    return fits(target, factors) ? { factors, weight: null } : null;
  }

  /** B·A of an adapter beside the file, in the target's shape; null where it has none for the layer. */
  private async adapterOf(name: string, target: Target): Promise<Float64Array | null> {
    const [first, last] = factorNames(name, target).map((each) => this.places.get(each));
    if (first === undefined || last === undefined) return null;
    const turned = isTransposed(target);
    const factors = await Promise.all([first, last].map(async ({ tensor, shard }): Promise<Factor> => {
      const values = Float64Array.from(await readValues({ tensor, shard, scale: null }));
      const [rows = 1, columns = 1] = tensor.shape;
      const shape = turned ? [columns, rows] : tensor.shape;
      return { role: "", op: isConvolution(target.form) ? "conv" : "linear", groups: 1, axes: [], shape, values: turned ? transposed(values, rows, columns) : values };
    }));
    return reconstructed(target, factors);
  }

  private async read(name: string, shape: readonly number[]): Promise<Values | null> {
    const place = this.places.get(name);
    return place === undefined || String(place.tensor.shape) !== String(shape) ? null : readValues({ ...place, scale: null });
  }
}

/** Whether factors begin and end at the sides of a layer. */
function fits({ form, shape }: Target, factors: readonly Factor[]): boolean {
  const [first, last] = [factors[0], factors.at(-1)];
  if (first === undefined || last === undefined) return false;
  const [rows = 1, columns = 1] = shape;
  if (!isConvolution(form)) return form.layout === "out_in" ? last.shape[0] === rows && first.shape[1] === columns : first.shape[0] === rows && last.shape[1] === columns;
  const [from, to] = [channelsOfStep(first).in, channelsOfStep(last).out];
  const own = channelsOf(shape, form);
  return from === own.in * own.groups && to === own.out * own.groups;
}

/** Channels of a step, all groups together. */
function channelsOfStep({ op, shape, groups }: Step): { in: number; out: number } {
  const channels = channelsOf(shape, { op: op === "conv_transpose" ? op : "conv", groups });
  return { in: channels.in * groups, out: channels.out * groups };
}

/** @throws Fault malformed */
function modulesIn(text: string | undefined): [string, readonly Step[]][] {
  if (text === undefined) return [];
  try {
    return Object.entries(JSON.parse(text) as Record<string, readonly Step[]>);
  } catch {
    throw new Fault("malformed", `The metadata ${MODULES_KEY} of the file is damaged.`, "Write the model again.");
  }
}
