import { fullRankOf, mapLeaves, sizeOf, type Size } from "../../linalg/composite";
import type { SkippedTensor } from "../../shared/report";
import { clipped } from "../clipped";
import { epsilonOf } from "../dtypes";
import { matrixSize } from "../gather";
import type { Layer, Model, Tensor } from "../model";
import { placeOf } from "../names";
import { axis, view } from "../views/made";
import { changeOf, type Change, type Parts } from "./composites";
import { readConfig, type AdapterConfig } from "./config";
import { groupFactors, type FactorGroup } from "./groups";
import { adapterPath } from "./paths";
import { scaleOf } from "./scale";

/**
 * The same model with each adapter as one layer: its factors, which the format lists one by one, become one matrix with
 * its scale. Works on names and shapes, whatever the format; a model without adapters is returned as it is. Factors that
 * do not fit each other stay the layers that they were.
 * @param path of the model: PEFT keeps the scale in adapter_config.json beside it
 * @throws Fault of `readConfig`, and of reading the alphas that the file keeps
 */
export async function joinAdapters(model: Model, path: string): Promise<Model> {
  const groups = groupFactors(model);
  const found = groups.flatMap((group) => {
    const joined = joinedChange(group.parts);
    return joined === null ? [] : [{ ...group, ...joined }];
  });
  if (found.length === 0) return model;
  const config = await readConfig(model.metadata, path);
  const alphas = await alphasOf(model, found);
  const names = new Set([...model.layers.map(({ tensor }) => tensor.name), ...model.skipped.map(({ name }) => name)]);
  const joined = found.map((one) => joinedLayer(one, alphas.get(one.parts.get("alpha")?.name ?? "") ?? null, config, names));
  return { ...model, ...merged(model, joined), summary: summaryOf(model, found, config), files: [...model.files, ...(config?.file ? [config.file.path] : [])] };
}

interface Found extends FactorGroup {
  readonly change: Change;
  readonly size: Size;
  readonly fullRank: number;
}

interface Joined {
  readonly layer: Layer;
  /** Names of its factors. */
  readonly factors: ReadonlySet<string>;
  /** Tensors that are no matrix but belong to it, with what they are. */
  readonly beside: readonly SkippedTensor[];
}

function joinedChange(parts: Parts): { change: Change; size: Size; fullRank: number } | null {
  const change = changeOf(parts);
  if (change === null) return null;
  const sized = mapLeaves(change.composite, ({ view: factor }) => matrixSize(factor));
  const size = sizeOf(sized);
  return size === null || size.rows * size.columns === 0 ? null : { change, size, fullRank: fullRankOf(sized) };
}

/** Scales that are read at once: each opens its file, which may be far away. */
const READ_AT_ONCE = 16;

/** The finite alphas by their tensors' names. */
async function alphasOf(model: Model, found: readonly FactorGroup[]): Promise<ReadonlyMap<string, number>> {
  const tensors = [...new Set(found.flatMap(({ parts }) => parts.get("alpha") ?? []))];
  const alphas = new Map<string, number>();
  for (let first = 0; first < tensors.length; first += READ_AT_ONCE) {
    await Promise.all(tensors.slice(first, first + READ_AT_ONCE).map(async (tensor) => {
      const alpha = (await model.read(tensor))[0];
      if (alpha !== undefined && Number.isFinite(alpha)) alphas.set(tensor.name, alpha);
    }));
  }
  return alphas;
}

function joinedLayer(found: Found, stored: number | null, config: AdapterConfig | null, names: Set<string>): Joined {
  const { module, parts, change, size, fullRank } = found;
  const alpha = parts.get("alpha"), magnitude = parts.get("magnitude");
  const scale = scaleOf(module, change.rank, stored, config);
  const factors = change.parts.map((part) => parts.get(part)!);
  const name = nameOf(found, names);
  const place = placeOf(adapterPath(module));
  const skipped = (tensor: Tensor | undefined, reason: string): SkippedTensor[] => (tensor === undefined ? [] : [{ ...tensor, reason }]);
  return {
    layer: {
      tensor: { name, dtype: coarsest(factors), shape: change.shape },
      factored: { composite: change.composite, scale: scale.value },
      kind: "adapter",
      views: [view([axis(size.rows, size.columns)], [axis(size.columns, 1)], {
        unfolding: change.shape.length > 2 ? "channel" : "none", input: "columns", breakEvenRank: fullRank,
      })],
      ...place,
      notes: [
        `${change.method === "LoRA" ? "" : `${change.method} · `}scale ${Number(scale.value.toPrecision(6))}${scale.remark === null ? "" : ` (${scale.remark})`} · rank ${fullRank} of at most ${Math.min(size.rows, size.columns)}`,
        ...(magnitude === undefined ? [] : ["DoRA: measured without its magnitudes, which need the base model's weight"]),
        `made of ${factors.map((factor) => `${clipped(factor.name.slice(factor.name.startsWith(module) ? module.length + 1 : 0))} [${factor.shape.join(", ")}]`).join(", ")}`,
      ],
    },
    factors: new Set(factors.map((factor) => factor.name)),
    beside: [...skipped(alpha, `alpha of ${clipped(name)}, a part of its scale`), ...skipped(magnitude, `magnitudes of ${clipped(name)} (DoRA): what they change depends on the base model's weight`)],
  };
}

/** No tensor of the file and no other adapter has it. */
function nameOf({ module, adapter }: FactorGroup, taken: Set<string>): string {
  const own = adapter === null || adapter === "default" ? module : `${module} (${adapter})`;
  let name = own;
  for (let copy = 2; taken.has(name); copy++) name = `${own} (${copy})`;
  taken.add(name);
  return name;
}

/** The stored type that limits the digits of the product. */
function coarsest(factors: readonly Tensor[]): string {
  return factors.map(({ dtype }) => dtype).reduce((a, b) => (epsilonOf(b) > epsilonOf(a) ? b : a));
}

/** Each adapter stands where its first factor stood; those whose factors were all too small to be layers come last. */
function merged(model: Model, joined: readonly Joined[]): Pick<Model, "layers" | "skipped"> {
  const byFactor = new Map(joined.flatMap((one) => [...one.factors].map((name) => [name, one] as const)));
  const beside = new Map(joined.flatMap((one) => one.beside.map((tensor) => [tensor.name, tensor] as const)));
  const placed = new Set<Joined>();
  const layers = model.layers.flatMap((layer) => {
    const own = byFactor.get(layer.tensor.name);
    if (own === undefined) return beside.has(layer.tensor.name) ? [] : [layer];
    if (placed.has(own)) return [];
    placed.add(own);
    return [own.layer];
  });
  const skipped = model.skipped.filter(({ name }) => !byFactor.has(name) && !beside.has(name));
  return { layers: [...layers, ...joined.filter((one) => !placed.has(one)).map(({ layer }) => layer)], skipped: [...skipped, ...beside.values()] };
}

function summaryOf(model: Model, found: readonly Found[], config: AdapterConfig | null): Model["summary"] {
  const notes = (["LoRA", "LoHa", "LoKr"] as const).flatMap((method) => {
    const ranks = found.filter(({ change }) => change.method === method).map(({ fullRank }) => fullRank);
    if (ranks.length === 0) return [];
    const [least, most] = [Math.min(...ranks), Math.max(...ranks)];
    return [`${ranks.length} ${method} ${ranks.length === 1 ? "adapter" : "adapters"} of rank ${least === most ? least : `${least} to ${most}`}`];
  });
  const base = config?.baseModel ?? null;
  return {
    ...model.summary,
    bytes: model.summary.bytes + (config?.file?.bytes ?? 0),
    notes: [...model.summary.notes, ...notes, ...(base === null ? [] : [`base model ${clipped(base)}`])],
  };
}
