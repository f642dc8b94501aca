import { join } from "node:path";
import { AtomicFiles } from "../../../../src/factorize/atomic";
import { openOnnxSource } from "../../../../src/factorize/onnx/source";
import type { Factor, SchemeId } from "../../../../src/factorize/scheme";
import { SCHEMES } from "../../../../src/factorize/schemes";
import { isTarget } from "../../../../src/factorize/source";
import { exactSvd } from "../../../../src/linalg/svd";
import { openModel } from "../../../../src/models/formats";
import { DEFAULT_OPEN_OPTIONS } from "../../../../src/models/model";
import { folder } from "../../support/folders";

/** Factorizes every layer that a scheme fits, at full rank or at `rankOf` it, into a new file. @returns its path, and the layers by name */
export async function factorizeAll(path: string, id: SchemeId, rankOf = (full: number): number => full): Promise<{ path: string; layers: string[]; factors: ReadonlyMap<string, readonly Factor[]> }> {
  const options = { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 };
  const model = await openModel(path, options);
  const source = await openOnnxSource(path, model.layers, options);
  const factors = new Map<string, readonly Factor[]>();
  for (const [index, target] of source.targets.entries()) {
    const scheme = SCHEMES[id];
    if (!isTarget(target) || scheme.refusal(target) !== null) continue;
    const values = await model.read(model.layers[index]!.tensor);
    factors.set(target.name, await scheme.factor(target, values, scheme.fullRanks(target).map(rankOf), exactSvd));
  }
  const files = new AtomicFiles();
  const output = join(folder(), "factorized.onnx");
  await files.write(output, (write) => source.apply(factors, output, write));
  await files.commit();
  await Promise.all([source.close(), model.close()]);
  return { path: output, layers: [...factors.keys()], factors };
}
