import { considerLayers, offByDefault, type Candidate, type CandidateOptions, type Considered } from "../../factorize/candidates";
import { contentHash } from "../../factorize/apply";
import { latencyOf, type MeasuredLatency, type ModelTimes } from "../../factorize/latency";
import { perPosition, type MultiplyAdds } from "../../factorize/multiplyAdds";
import { SCHEME_IDS, type SchemeId, type SchemeWish } from "../../factorize/scheme";
import { PLAIN_SCHEMES, SCHEMES, schemesFor } from "../../factorize/schemes";
import { OUTPUTS, type Output } from "../../factorize/source";
import { endingOf, openSource } from "../../factorize/sources";
import { samplesOf, type LayerSamples } from "../latencyApart";
import type { Ladders } from "./makeLadders";
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
  private made: readonly SchemeId[] = [];
  private measured: { readonly times: ModelTimes; readonly latency: MeasuredLatency } | null = null;
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
    const model = await openModel(path, open);
    try {
      const source = await openSource(model, open, as);
      try {
        let done = 0;
        const considered = await considerLayers(model.layers, source, {
          scheme: as === "adapter" ? ADAPTER_SCHEME : "auto", included: () => true, excluded: (name) => failed.has(name),
          known: knownSpectra(spectra),
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

  /** What was found for schemes beyond the plain ones. @param schemes that are complete */
  addLadders(ladders: Ladders, schemes: readonly SchemeId[]): void {
    if (schemes.every((id) => this.made.includes(id))) return;
    this.made = schemes;
    this.layers = this.layers.map((layer) => {
      const own = ladders.get(layer.name);
      if (layer.candidate === null || own === undefined) return layer;
      const more = [...own].filter(([id]) => schemes.includes(id)).map(([id, spectra]) => ({ scheme: SCHEMES[id], spectra })).filter(({ scheme }) => !layer.candidate!.schemes.some((each) => each.scheme === scheme));
      return { ...layer, candidate: { ...layer.candidate, schemes: [...layer.candidate.schemes, ...more] } };
    });
    this.byScheme.clear();
  }

  /** Measured times of the model and its layers. */
  time(times: ModelTimes): void {
    if (this.measured?.times.schemes.length === times.schemes.length) return;
    this.measured = { times, latency: latencyOf(times.whole.ms, times.layers, times.unmeasured) };
  }

  /** null until it is measured. */
  get times(): ModelTimes | null {
    return this.measured?.times ?? null;
  }

  /** null until it is measured. */
  get latency(): MeasuredLatency | null {
    return this.measured?.latency ?? null;
  }

  /** Whether its format has a graph, which can be run. */
  get hasGraph(): boolean {
    return this.summary.format === "onnx";
  }

  /** Those that are offered: the plain ones, whose spectra the analysis has, and others that fit some layer. */
  get schemes(): readonly SchemeId[] {
    if (this.as === "adapter") return ["svd", ADAPTER_SCHEME];
    return SCHEME_IDS.filter((id) => PLAIN_SCHEMES.includes(id) || this.layers.some(({ candidate }) => candidate !== null && SCHEMES[id].refusal(candidate.target) === null));
  }

  /** Those whose ranks are known for all layers that they fit. */
  get ready(): readonly SchemeId[] {
    return [...PLAIN_SCHEMES, ...this.made];
  }

  /** Candidates by layer, with the schemes that are asked for. The same objects for every draft, as what is known of them is kept by them. */
  candidates(scheme: SchemeWish): ReadonlyMap<string, Candidate> {
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

  /** The ways to write each candidate that are timed for these schemes. */
  samples(schemes: readonly SchemeId[]): LayerSamples[] {
    return this.layers.flatMap(({ candidate }) => (candidate === null ? [] : [samplesOf({ ...candidate, schemes: candidate.schemes.filter(({ scheme }) => schemes.includes(scheme.id)) })]));
  }

  /** Of the file that is written. */
  get ending(): string {
    return endingOf({ summary: this.summary, files: this.files });
  }

  /** Multiply-adds: null until they are counted. */
  get totals(): Totals {
    return { params: this.summary.parameters, bytes: this.bytes, macs: this.placed?.total ?? null, latency: this.measured?.times.whole.ms ?? null };
  }

  /** SHA-256 of the model's files. @throws Fault */
  sha256(): Promise<string> {
    this.hash ??= contentHash(this.files);
    return this.hash;
  }
}

/** Spectra of an analysis as candidates ask for them. */
export function knownSpectra(spectra: readonly KnownSpectrum[]): CandidateOptions["known"] {
  const known = new Map(spectra.map(({ name, unfolding, part, values }) => [JSON.stringify([name, unfolding, part]), values]));
  return (name, unfolding, part) => known.get(JSON.stringify([name, unfolding, part])) ?? null;
}
