import { withSpectra, type CandidateOptions } from "../../factorize/candidates";
import type { Spectra } from "../../factorize/ladder";
import type { SchemeId } from "../../factorize/scheme";
import { SCHEMES } from "../../factorize/schemes";
import { isTarget, type Output } from "../../factorize/source";
import { openSource } from "../../factorize/sources";
import type { SpectrumSolver } from "../../linalg/singularValues";
import { openModel } from "../../models/formats";
import type { OpenOptions } from "../../models/model";
import { knownSpectra, type KnownSpectrum } from "./preparedModel";

/** By layer: what rules the ranks of schemes for which no analysis has spectra. */
export type Ladders = ReadonlyMap<string, ReadonlyMap<SchemeId, Spectra>>;

export interface LaddersWish {
  readonly path: string;
  readonly open: OpenOptions;
  readonly as: Output;
  readonly schemes: readonly SchemeId[];
  /** Schemes that layers have already. */
  readonly there: ReadonlyMap<string, readonly SchemeId[]>;
  readonly spectra: readonly KnownSpectrum[];
  /** Layers that have no factors, with the reason. */
  readonly failed: ReadonlyMap<string, string>;
}

export interface MakingListeners {
  /** Told before a layer is begun. */
  readonly onLayer: (name: string, done: number, total: number) => void;
  readonly onMade: (name: string, spectra: ReadonlyMap<SchemeId, Spectra>) => void;
}

/** Finds spectra, and fits where a scheme has none, one layer after the other. @throws Fault of reading */
export async function makeLadders({ path, open, as, schemes, there, spectra, failed }: LaddersWish, solver: SpectrumSolver, { onLayer, onMade }: MakingListeners): Promise<void> {
  const model = await openModel(path, open);
  try {
    const source = await openSource(model, open, as);
    try {
      const work = model.layers.flatMap((layer, index) => {
        const target = source.targets[index]!;
        const { name } = layer.tensor;
        if (!isTarget(target) || failed.has(name)) return [];
        const wanted = schemes.filter((id) => there.get(name)?.includes(id) !== true).map((id) => SCHEMES[id]).filter((scheme) => scheme.refusal(target) === null);
        return wanted.length === 0 ? [] : [{ layer, target, wanted }];
      });
      const options: Pick<CandidateOptions, "known" | "read" | "solver"> = { known: knownSpectra(spectra), read: ({ tensor }) => model.read(tensor), solver };
      for (const [index, { layer, target, wanted }] of work.entries()) {
        onLayer(layer.tensor.name, index, work.length);
        const made = await withSpectra(layer, target, wanted, options);
        onMade(layer.tensor.name, new Map(made.map(({ scheme, spectra: own }) => [scheme.id, own])));
      }
    } finally {
      await source.close();
    }
  } finally {
    await model.close();
  }
}
