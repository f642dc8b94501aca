import { considerLayers, offByDefault, type Candidate, type Considered } from "../../factorize/candidates";
import { contentHash } from "../../factorize/apply";
import { perPosition, type MultiplyAdds } from "../../factorize/multiplyAdds";
import type { SchemeId } from "../../factorize/scheme";
import { PLAIN_SCHEMES, schemesFor } from "../../factorize/schemes";
import { OUTPUTS, type Output } from "../../factorize/source";
import { endingOf, openSource } from "../../factorize/sources";
import type { Totals } from "./words";
import type { SpectrumSolver } from "../../linalg/singularValues";
import { openModel } from "../../models/formats";
import type { OpenOptions } from "../../models/model";
import type { ModelSummary } from "../../shared/report";

/** LoRA of a convolution is the channel scheme, and no other. */
const ADAPTER_SCHEME = "channel";

export interface KnownSpectrum {
  readonly name: string;
  readonly unfolding: string;
  readonly part: string | null;
  readonly values: Float64Array;
}

export interface PrepareOptions {
  readonly path: string;
  readonly open: OpenOptions;
  readonly as: Output;
  /** Of the analysis, which are not computed again. */
  readonly spectra: readonly KnownSpectrum[];
  /** Layers that could not be measured, with the reason: they have no factors either. */
  readonly failed: ReadonlyMap<string, string>;
  readonly solver: SpectrumSolver;
  /** Told before a layer is read for spectra that the analysis has not. */
  readonly onLayer: (name: string, done: number) => void;
}

/** A model with every layer's candidates: one proposal after another is made of it. Holds no file open. */
export class PreparedModel {
  private readonly byScheme = new Map<string, ReadonlyMap<string, Candidate>>();
  private placed: MultiplyAdds | null = null;
  private hash: Promise<string> | null = null;

  private constructor(
    readonly summary: ModelSummary,
    readonly as: Output,
    private layers: readonly Considered[],
    readonly kinds: readonly { readonly kind: string; readonly shape: readonly number[] }[],
    readonly off: ReadonlyMap<string, string>,
    /** Forms that the model can be written in. */
    readonly outputs: readonly Output[],
    private readonly files: readonly string[],
    /** Of the output if nothing were factorized. */
    private readonly bytes: number,
  ) {}

  /** @throws Fault unsupported for a format that cannot be written, and those of reading */
  static async open({ path, open, as, spectra, failed, solver, onLayer }: PrepareOptions): Promise<PreparedModel> {
    const known = new Map(spectra.map(({ name, unfolding, part, values }) => [JSON.stringify([name, unfolding, part]), values]));
    const model = await openModel(path, open);
    try {
      const source = await openSource(model, open, as);
      try {
        let done = 0;
        const considered = await considerLayers(model.layers, source, {
          scheme: as === "adapter" ? ADAPTER_SCHEME : "auto", included: () => true, excluded: (name) => failed.has(name),
          known: (name, unfolding, part) => known.get(JSON.stringify([name, unfolding, part])) ?? null,
          read: ({ tensor }) => {
            onLayer(tensor.name, done++);
            return model.read(tensor);
          },
          solver,
        });
        const prepared = new PreparedModel(
          model.summary, as, considered.map((layer) => ({ ...layer, reason: failed.get(layer.name) ?? layer.reason })),
          model.layers.map(({ kind, tensor: { shape } }) => ({ kind, shape })), offByDefault(model.layers, source),
          model.summary.format === "onnx" ? ["factored"] : OUTPUTS, model.files, source.bytes ?? model.summary.bytes,
        );
        if (source.activations === undefined) prepared.place(perPosition(source));
        return prepared;
      } finally {
        await source.close();
      }
    } finally {
      await model.close();
    }
  }

  /** Every layer in the model's order, those that are off by default as candidates too. */
  get considered(): readonly Considered[] {
    return this.layers;
  }

  /** null where the graph was not run yet. */
  get multiplyAdds(): MultiplyAdds | null {
    return this.placed;
  }

  /** Candidates know from now on where they are applied. */
  place(multiplyAdds: MultiplyAdds): void {
    if (this.placed !== null) return;
    this.placed = multiplyAdds;
    this.layers = this.layers.map((layer) => {
      const positions = multiplyAdds.positions.get(layer.name);
      return layer.candidate === null || positions === undefined ? layer : { ...layer, candidate: { ...layer.candidate, positions } };
    });
    this.byScheme.clear();
  }

  /** Those that candidates have spectra for: others take minutes, or spectra that no analysis has, and are the terminal's. */
  get schemes(): readonly SchemeId[] {
    return this.as === "adapter" ? ["svd", ADAPTER_SCHEME] : PLAIN_SCHEMES;
  }

  /** Candidates by layer, with the schemes that are asked for. The same objects for every draft, as what is known of them is kept by them. */
  candidates(scheme: SchemeId | "auto"): ReadonlyMap<string, Candidate> {
    const known = this.byScheme.get(scheme);
    if (known !== undefined) return known;
    const found = new Map(this.considered.flatMap(({ name, candidate }): [string, Candidate][] => {
      if (candidate === null) return [];
      const wanted = schemesFor(candidate.target, scheme);
      const schemes = candidate.schemes.filter((each) => wanted.includes(each.scheme));
      return schemes.length === 0 ? [] : [[name, schemes.length === candidate.schemes.length ? candidate : { ...candidate, schemes }]];
    }));
    this.byScheme.set(scheme, found);
    return found;
  }

  /** Of the file that is written. */
  get ending(): string {
    return endingOf({ summary: this.summary, files: this.files });
  }

  /** Multiply-adds: null until they are counted. */
  get totals(): Totals {
    return { params: this.summary.parameters, bytes: this.bytes, macs: this.placed?.total ?? null };
  }

  /** SHA-256 of the model's files. @throws Fault */
  sha256(): Promise<string> {
    this.hash ??= contentHash(this.files);
    return this.hash;
  }
}
