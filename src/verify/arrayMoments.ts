import { basename, join } from "node:path";
import { MomentSum } from "../calibrate/moment";
import { writeMoments } from "../calibrate/momentsFile";
import type { Gemm } from "../linalg/fast/gemm";
import { areFinite } from "../models/finite";
import type { Values } from "../models/model";
import { withNumberArrays, type UnreadArray } from "../models/numpy/numberArrays";
import { Fault } from "../shared/fault";
import type { CalibratedTarget, CollectedMoments } from "./calibrate";
import type { CalibrationProgress, CalibrationRequest } from "./calibration";
import { isProtoData } from "./protoInputs";

const WEIGHT = /\.weight$/;

/**
 * Moments of a model without a graph, from the inputs of its layers as a person has recorded them: arrays of samples × inputs
 * by the layers' names, with or without ".weight". Axes before the last are samples too.
 * @throws Fault of the file, of a shape that no layer of its name takes, and where no name is a layer's
 */
export async function arrayMoments({ data, folder }: CalibrationRequest, targets: readonly CalibratedTarget[], gemm: Gemm, tell: CalibrationProgress): Promise<CollectedMoments> {
  const file = basename(data);
  const next = `Save the inputs of each layer, samples × inputs, under its name${targets[0] === undefined ? "" : ` (${targets[0].layer.tensor.name})`} with numpy.savez.`;
  if (await isProtoData(data)) throw new Fault("unsupported", `${file} holds inputs of a graph, which the model's file does not have.`, next);
  return withNumberArrays(data, next, async (arrays) => {
    const files = new Map<string, string>(), without = new Map<string, string>();
    const used = new Set<string>();
    let samples = 0;
    for (const [index, { layer: { tensor: { name } }, inputs: { length } }] of targets.entries()) {
      tell(index, targets.length, name);
      const key = [name, name.replace(WEIGHT, "")].find((each) => arrays.has(each));
      if (key === undefined) {
        without.set(name, `${file} has no inputs of it`);
        continue;
      }
      used.add(key);
      const values = await checked(arrays.get(key)!, key, length, file);
      const sum = new MomentSum(length, gemm);
      sum.add({ rows: values.length / length, columns: length, data: values });
      samples = Math.max(samples, values.length / length);
      const path = join(folder, `${index}.moments`);
      await writeMoments(path, [sum.moment]);
      files.set(name, path);
    }
    if (used.size === 0) throw new Fault("malformed", `${file} has no array that is named as a layer that may be factorized; it has ${[...arrays.keys()].slice(0, 5).join(", ")}.`, next);
    return { samples, files, without, unused: [...arrays.keys()].filter((key) => !used.has(key)) };
  });
}

/** @throws Fault malformed, not-finite */
async function checked(array: UnreadArray, key: string, length: number, file: string): Promise<Values> {
  const { shape } = array;
  if (shape.length < 2 || shape.at(-1) !== length || shape.includes(0)) {
    throw new Fault("malformed", `Array ${key} of ${file} has the shape [${shape.join(", ")}], where its layer takes inputs of ${length} numbers.`, `Give samples × ${length}.`);
  }
  const values = await array.read();
  if (!areFinite(values)) throw new Fault("not-finite", `Array ${key} of ${file} holds numbers that are not finite.`, "Leave out the samples that are not.");
  return values;
}
