import { basename, join } from "node:path";
import type * as Ort from "onnxruntime-node";
import { MomentSum, momentBytes } from "../calibrate/moment";
import { writeMoments } from "../calibrate/momentsFile";
import { sizesOf, takenRows, type Activation } from "../calibrate/taken";
import type { LayerInput } from "../factorize/multiplyAdds";
import type { Gemm } from "../linalg/fast/gemm";
import { decode } from "../models/dtypes";
import { areFinite } from "../models/finite";
import { Fault } from "../shared/fault";
import type { CalibratedTarget, CollectedMoments } from "./calibrate";
import type { CalibrationGraph, CalibrationProgress, CalibrationRequest } from "./calibration";
import { dataInputs } from "./inputs";
import { inputsOf, runOn, runtime, session } from "./sideBySide";
import { samplesOf, type Feeds } from "./tensors";

/** Samples that a graph is run on together, where it leaves their number open. */
const SAMPLES = 16;
/** Of values that one run gives out, and of moments that are added up at a time: one layer may have more. Bytes. */
const VALUES_AT_ONCE = 256 * 2 ** 20, MOMENTS_AT_ONCE = 512 * 2 ** 20;
/** Values of unknown sizes that one run gives out. */
const UNKNOWN_AT_ONCE = 8;

/** Layers that are applied to the same in the same way, as queries, keys and values are: they have one moment. */
interface Shared {
  readonly inputs: readonly LayerInput[];
  readonly names: string[];
}

/**
 * Moments from running a graph on data, in a copy that gives out what its layers are applied to. It is run without
 * optimizations: values are then the same whichever of them are asked for.
 * @throws Fault of the data, and where the model does not run on it
 */
export async function graphMoments({ data, folder, graph }: CalibrationRequest & { readonly graph: CalibrationGraph }, targets: readonly CalibratedTarget[], gemm: Gemm, tell: CalibrationProgress): Promise<CollectedMoments> {
  const ort = await runtime();
  const model = await session(ort, graph.copy, { graphOptimizationLevel: "disabled" });
  const batches = await finiteInputs(ort, model, data);
  const without = new Map<string, string>();
  const shared = sharedInputs(targets, graph, without);
  const bytes = await valueBytes(model, [...new Set(shared.flatMap(({ inputs }) => inputs.map(({ value }) => value)))], batches[0]!, graph.copy, data);
  const packs = packed(shared, bytes);
  const files = new Map<string, string>();
  for (const [index, pack] of packs.entries()) {
    const sums = pack.map(({ inputs: [first] }) => { const { inputs, groups } = sizesOf(first!.taken); return Array.from({ length: groups }, () => new MomentSum(inputs, gemm)); });
    const values = [...new Set(pack.flatMap(({ inputs }) => inputs.map(({ value }) => value)))];
    for (const [batch, feeds] of batches.entries()) {
      tell(index * batches.length + batch, packs.length * batches.length, pack[0]!.names[0]!);
      const found = await runOn(model, feeds, graph.copy, data, values);
      for (const [at, { inputs, names }] of pack.entries()) if (!inputs.every((input) => added(sums[at]!, input, found[input.value]))) names.forEach((name) => without.set(name, "what it is applied to has not the shape that it takes"));
    }
    for (const [at, { names }] of pack.entries()) {
      const path = join(folder, `${index}-${at}.moments`);
      await writeMoments(path, sums[at]!.map(({ moment }) => moment));
      for (const name of names) if (!without.has(name)) files.set(name, path);
    }
  }
  await model.release();
  return { samples: batches.reduce((sum, feeds) => sum + samplesOf(feeds), 0), files, without, unused: [] };
}

/** @throws Fault not-finite */
async function finiteInputs(ort: typeof Ort, model: Ort.InferenceSession, data: string): Promise<readonly Feeds[]> {
  const { batches } = await dataInputs(ort, data, inputsOf(model), SAMPLES);
  for (const [name, { data: values }] of batches.flatMap((feeds) => Object.entries(feeds))) {
    if ((values instanceof Float32Array || values instanceof Float64Array) && !areFinite(values)) throw new Fault("not-finite", `Input ${name} of ${basename(data)} holds numbers that are not finite.`, "Leave out the samples that are not.");
  }
  return batches;
}

function sharedInputs(targets: readonly CalibratedTarget[], graph: CalibrationGraph, without: Map<string, string>): Shared[] {
  const byKey = new Map<string, Shared>();
  for (const { layer: { tensor: { name } } } of targets) {
    const inputs = graph.taken.get(name);
    if (inputs === undefined) {
      without.set(name, "it is applied inside a branch, a loop or a function, whose values the graph cannot give out");
      continue;
    }
    const key = JSON.stringify(inputs);
    const known = byKey.get(key) ?? { inputs, names: [] };
    known.names.push(name);
    byKey.set(key, known);
  }
  return [...byKey.values()];
}

/** What values of the first batch take, some at a time. */
async function valueBytes(model: Ort.InferenceSession, values: readonly string[], feeds: Feeds, path: string, data: string): Promise<Map<string, number>> {
  const bytes = new Map<string, number>();
  for (let at = 0; at < values.length; at += UNKNOWN_AT_ONCE) {
    const found = await runOn(model, feeds, path, data, values.slice(at, at + UNKNOWN_AT_ONCE));
    for (const [name, tensor] of Object.entries(found)) bytes.set(name, tensor.size * Float32Array.BYTES_PER_ELEMENT);
  }
  return bytes;
}

/** Layers whose values and moments are held together. */
function packed(shared: readonly Shared[], bytes: ReadonlyMap<string, number>): Shared[][] {
  const packs: Shared[][] = [];
  let values = Infinity, moments = Infinity;
  for (const each of shared) {
    const own = each.inputs.reduce((sum, { value }) => sum + (bytes.get(value) ?? 0), 0);
    const { inputs, groups } = sizesOf(each.inputs[0]!.taken);
    values += own;
    moments += momentBytes(inputs, groups);
    if (values > VALUES_AT_ONCE || moments > MOMENTS_AT_ONCE) {
      packs.push([]);
      [values, moments] = [own, momentBytes(inputs, groups)];
    }
    packs.at(-1)!.push(each);
  }
  return packs;
}

/** @returns false where the value is none that the layer takes */
function added(sums: readonly MomentSum[], { taken }: LayerInput, tensor: Ort.Tensor | undefined): boolean {
  const activation = tensor === undefined ? null : activationOf(tensor);
  const rows = activation === null ? null : takenRows(taken, activation);
  if (rows === null) return false;
  for (const { group, rows: block } of rows) sums[group]!.add(block);
  return true;
}

function activationOf({ type, dims, data }: Ort.Tensor): Activation | null {
  if (data instanceof Float32Array || data instanceof Float64Array) return { shape: dims, values: data };
  if (type !== "float16" || !ArrayBuffer.isView(data)) return null;
  return { shape: dims, values: decode("float16", new Uint8Array(data.buffer, data.byteOffset, data.byteLength), data.length) };
}
