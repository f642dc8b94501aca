import { AtomicFiles } from "../../../../src/factorize/atomic";
import { SCHEMES } from "../../../../src/factorize/schemes";
import type { Factor, SchemeId } from "../../../../src/factorize/scheme";
import { isTarget, ready, writeAll, type Output } from "../../../../src/factorize/source";
import { openSource } from "../../../../src/factorize/sources";
import { arranged } from "../../../../src/factorize/target";
import { exactSvd } from "../../../../src/linalg/svd";
import { openModel } from "../../../../src/models/formats";
import { DEFAULT_OPEN_OPTIONS } from "../../../../src/models/model";

/** Factorizes every layer that a scheme (or svd, for matrices) fits; one scheme for all, or one for each by its name. @returns the layers, and the reasons why others stay */
export async function writeFactored(path: string, output: string, id: SchemeId | ((name: string) => SchemeId), as: Output = "factored", rankOf = (full: number): number => full, isWanted: (name: string) => boolean = () => true): Promise<{ layers: string[]; kept: Record<string, string> }> {
  const options = { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 };
  const model = await openModel(path, options);
  const source = await openSource(model, options, as);
  const factors = new Map<string, readonly Factor[]>();
  const kept: Record<string, string> = {};
  for (const [index, layer] of model.layers.entries()) {
    const target = source.targets[index]!;
    if (!isTarget(target)) {
      kept[layer.tensor.name] = target.reason;
      continue;
    }
    if (!isWanted(target.name)) continue;
    const scheme = [SCHEMES[typeof id === "string" ? id : id(target.name)], SCHEMES.channel, SCHEMES.svd].find((candidate) => candidate.refusal(target) === null)!;
    factors.set(target.name, await scheme.factor(target, arranged(target, await model.read(layer.tensor)), scheme.fullRanks(target).map(rankOf), exactSvd));
  }
  const files = new AtomicFiles();
  await writeAll(source, ready(factors), output, files);
  await files.commit();
  await Promise.all([source.close(), model.close()]);
  return { layers: [...factors.keys()], kept };
}
