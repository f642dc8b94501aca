import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { Fault } from "../shared/fault";
import { isTarget } from "../factorize/source";
import { openTargets } from "../factorize/safetensors/source";
import { WrittenModel } from "../factorize/safetensors/written";
import { arranged } from "../factorize/target";
import { fileFor } from "../models/folder";
import { formatOf, openModel } from "../models/formats";
import { DEFAULT_OPEN_OPTIONS } from "../models/model";
import { seededGaussians } from "./seeded";
import { responseOf, responseOfFactors, type Response } from "./response";
import type { VerifyRequest, WeightVerification } from "./verification";

/**
 * Inputs of each layer: the error of Σ‖(W − Ŵ)x‖² / Σ‖Wx‖² over n of them falls as 1/√(n · rank), so that small layers get more,
 * as many as a second's work allows.
 */
const FEWEST = 32, MOST = 2048;
const MULTIPLY_ADDS = 2 ** 28;
/** Whatever a plan may have named. */
const EVERY_TENSOR = { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 };

/**
 * How far each layer of a written model is from the original's, for formats without a graph that could be run: both are given
 * the same Gaussian inputs, and what is told is √(Σ‖(W − Ŵ)x‖² / Σ‖Wx‖²). For such inputs its expectation is
 * ‖W − Ŵ‖_F / ‖W‖_F; real inputs lie in few directions, and may fare better or worse. Ŵ is what the candidate's file
 * holds. Layers whose values are the same are left out.
 * @throws Fault malformed where the candidate is not a factorization of the original
 */
export async function compareWeights({ original, candidate }: VerifyRequest): Promise<WeightVerification> {
  const model = await openModel(original, EVERY_TENSOR);
  try {
    const { pieces, byLayer, targets } = await openTargets(model, EVERY_TENSOR, "reconstructed");
    try {
      const written = await WrittenModel.open(await fileFor(candidate, (name) => formatOf(name) !== undefined));
      const layers: { name: string; relativeError: number }[] = [];
      for (const [index, layer] of model.layers.entries()) {
        const target = targets[index]!;
        const piece = byLayer.get(layer.tensor.name);
        if (!isTarget(target) || piece === undefined) continue;
        const weight = arranged(target, await model.read(layer.tensor));
        const found = await written.layerOf(piece.name, target);
        if (found === null) throw new Fault("malformed", `${basename(candidate)} has no layer ${piece.name} of the shape [${target.shape.join(", ")}].`, "Compare a model with its own factorization.");
        const isSame = found.factors === null && found.weight.every((value, at) => value === weight[at]);
        if (isSame) continue;
        const other = found.factors === null ? responseOf(target, found.weight) : responseOfFactors(target, found.factors);
        const count = Math.min(MOST, Math.max(FEWEST, Math.floor(MULTIPLY_ADDS / weight.length)));
        layers.push({ name: layer.tensor.name, relativeError: relativeError(responseOf(target, weight), other, count) });
      }
      const sizes = await Promise.all([model.files, written.files].map(async (files) => (await Promise.all(files.map(async (path) => (await stat(path)).size))).reduce((sum, size) => sum + size, 0)));
      return { inputs: "seeded Gaussian inputs, as the file holds no graph to run", layers, bytes: { original: sizes[0]!, candidate: sizes[1]! } };
    } finally {
      await pieces.close();
    }
  } finally {
    await model.close();
  }
}

/** Of two layers of the same inputs, over `count` seeded ones. */
function relativeError(original: Response, candidate: Response, count: number): number {
  const inputs = seededGaussians(original.inputs * count);
  const [expected, found] = [original.apply(inputs, count), candidate.apply(inputs, count)];
  let [difference, size] = [0, 0];
  for (let at = 0; at < expected.length; at++) {
    difference += (expected[at]! - found[at]!) ** 2;
    size += expected[at]! ** 2;
  }
  return size === 0 ? (difference === 0 ? 0 : Infinity) : Math.sqrt(difference / size);
}
