import type { Matrix } from "../linalg/matrix";
import type { SpectrumSolver } from "../linalg/singularValues";
import type { Layer, Values } from "../models/model";
import type { ModeSpectra, Spectra } from "./ladder";
import type { Positions, Scheme, SchemeId, SchemeWish } from "./scheme";
import { SCHEMES, schemesFor } from "./schemes";
import { outputErrorCurve, type MeasuredRung } from "./sensitivity";
import { isTarget, type Source } from "./source";
import { arranged, isConvolution, type Form, type Target } from "./target";

/** A layer that may be factorized: the schemes that fit it, with the spectra that rule their ranks. */
export interface Candidate {
  readonly target: Target;
  readonly schemes: readonly CandidateScheme[];
  /** Where it is applied; left out where that is not known. */
  readonly positions?: Positions;
}

export interface CandidateScheme {
  readonly scheme: Scheme;
  /** What is lost follows from them: of the weight, or, where that is calibrated, of its outputs on the data. */
  readonly spectra: Spectra;
  /** Of the weight itself, where `spectra` are of its outputs: the factors follow data. */
  readonly weightSpectra?: Spectra;
  /** What is lost of the outputs on data for what is lost of the weight, squared and relative, where factors do not follow it. */
  readonly outputError?: (error2: number) => number;
}

/** What is known of a layer's outputs on data. */
export interface OutputErrors {
  /** Singular values, group by group: what is lost by the scheme whose factors follow the data. */
  readonly spectra: ModeSpectra;
  /** What others lose, at some ranks. */
  readonly others: ReadonlyMap<SchemeId, readonly MeasuredRung[]>;
}

/** A layer and what becomes of it: a candidate, or why it stays as it is. */
export interface Considered {
  readonly name: string;
  readonly parameters: number;
  readonly dtype: string;
  readonly candidate: Candidate | null;
  readonly reason: string;
}

export interface CandidateOptions {
  readonly scheme: SchemeWish;
  /** Takes layers that are off by default too. */
  readonly included: (name: string) => boolean;
  readonly excluded: (name: string) => boolean;
  /** A spectrum that is known already: of a layer's view by its unfolding and part; null when it is not. */
  readonly known: (name: string, unfolding: string, part: string | null) => Float64Array | null;
  /** Where layers are applied, by name. */
  readonly positions?: ReadonlyMap<string, Positions>;
  /** Of layers that are calibrated, by name. */
  readonly calibrated?: ReadonlyMap<string, OutputErrors>;
  readonly read: (layer: Layer) => Promise<Values>;
  readonly solver: SpectrumSolver;
}

/**
 * Why a layer is off unless it is asked for: by its place in the model. Positions count layers that could be factorized.
 */
export function offByDefault(layers: readonly Layer[], source: Pick<Source, "targets">): ReadonlyMap<string, string> {
  const reasons = new Map<string, string>();
  const known = layers.map((layer, index): { readonly name: string; readonly form: Form | null } => {
    const target = source.targets[index]!;
    return { name: layer.tensor.name, form: isTarget(target) ? target.form : null };
  });
  const firstConvolution = known.find(({ form }) => form?.op === "conv");
  if (firstConvolution !== undefined) reasons.set(firstConvolution.name, "first convolution: small, and all that follows depends on it; off unless included");
  const head = known.findLast(({ form }) => form === null || form.op !== "embedding");
  if (head !== undefined && !reasons.has(head.name)) reasons.set(head.name, "last layer: its errors reach the output directly; off unless included");
  for (const { name, form } of known) {
    if (form !== null && !isConvolution(form) && form.state === true) reasons.set(name, "state weight of a recurrent layer: its errors add up from step to step, and its factors need a loop over the steps in PyTorch, which is slower; off unless included");
  }
  for (const { name, form } of known) if (form?.op === "embedding") reasons.set(name, "embedding: rare rows suffer most; off unless included");
  return reasons;
}

/** Every layer of a model as a candidate, or with the reason why it stays as it is. */
export async function considerLayers(layers: readonly Layer[], source: Pick<Source, "targets">, options: CandidateOptions): Promise<Considered[]> {
  const off = offByDefault(layers, source);
  const considered: Considered[] = [];
  for (const [index, layer] of layers.entries()) {
    const { name, shape, dtype } = layer.tensor;
    const target = source.targets[index]!;
    // The type that it is written in, where that is another than the file's.
    const own = { name, parameters: shape.reduce((all, size) => all * size, 1), dtype: isTarget(target) ? target.dtype : dtype };
    const reason = reasonToKeep(name, target, off, options);
    if (reason !== null || !isTarget(target)) {
      considered.push({ ...own, candidate: null, reason: reason ?? "" });
      continue;
    }
    const schemes = schemesFor(target, options.scheme);
    if (schemes.length === 0) considered.push({ ...own, candidate: null, reason: `the ${options.scheme} scheme does not fit it` });
    else considered.push({ ...own, candidate: { target, schemes: await withSpectra(layer, target, schemes, options), ...placed(name, options) }, reason: "" });
  }
  return considered;
}

function placed(name: string, { positions }: CandidateOptions): Pick<Candidate, "positions"> {
  const own = positions?.get(name);
  return own === undefined ? {} : { positions: own };
}

function reasonToKeep(name: string, target: Source["targets"][number], off: ReadonlyMap<string, string>, { included, excluded }: Pick<CandidateOptions, "included" | "excluded">): string | null {
  if (!isTarget(target)) return target.reason;
  if (excluded(name)) return "excluded";
  return included(name) ? null : (off.get(name) ?? null);
}

/** Names of the layers that may be factorized. */
export function candidateNames(layers: readonly Layer[], source: Pick<Source, "targets">, options: Pick<CandidateOptions, "included" | "excluded">): string[] {
  const off = offByDefault(layers, source);
  return layers.flatMap(({ tensor: { name } }, index) => (reasonToKeep(name, source.targets[index]!, off, options) === null ? [name] : []));
}

/**
 * Schemes of a layer with their spectra: those that are known, others from its values, which are read once then.
 * @throws Fault of reading
 */
export async function withSpectra(layer: Layer, target: Target, schemes: readonly Scheme[], { known, calibrated, read, solver }: Pick<CandidateOptions, "known" | "calibrated" | "read" | "solver">): Promise<Candidate["schemes"]> {
  let values: Values | null = null;
  const readOnce = async (): Promise<Values> => (values ??= arranged(target, await read(layer)));
  const found = new Map<Scheme, Spectra>();
  const spectraOf = async (scheme: Scheme): Promise<Spectra> => {
    const before = found.get(scheme);
    if (before !== undefined) return before;
    const analyzed = knownModes(target, scheme, known);
    const modes = analyzed !== null ? [analyzed] : scheme.fit !== undefined ? [await scheme.fit(target, await readOnce())] : await modesOf(scheme.unfoldings(target, await readOnce()), solver);
    const own = scheme.bound === "apart" ? [] : await spectraOf(isConvolution(target.form) ? SCHEMES.channel : SCHEMES.svd);
    const all = [...modes, ...own];
    found.set(scheme, all);
    return all;
  };
  const outputs = calibrated?.get(target.name);
  const out: CandidateScheme[] = [];
  for (const scheme of schemes) {
    const own = await spectraOf(scheme);
    const others = outputs?.others.get(scheme.id);
    if (outputs !== undefined && scheme.inputs !== undefined) out.push({ scheme, spectra: [outputs.spectra], weightSpectra: own });
    else out.push({ scheme, spectra: own, ...(others === undefined ? {} : { outputError: outputErrorCurve(others) }) });
  }
  return out;
}

async function modesOf(unfoldings: readonly (readonly Matrix[])[], solver: SpectrumSolver): Promise<ModeSpectra[]> {
  const modes: ModeSpectra[] = [];
  for (const mode of unfoldings) {
    const groups: Float64Array[] = [];
    for (const matrix of mode) groups.push(await solver.singularValues(matrix));
    modes.push(groups);
  }
  return modes;
}

/** Unfoldings whose spectra the analysis has too, by scheme. */
const ANALYZED: Partial<Record<SchemeId, string>> = { svd: "none", channel: "channel", spatial: "spatial" };

/** The spectra of the only mode of a scheme, when the analysis has them for all groups. */
function knownModes(target: Target, scheme: Scheme, known: CandidateOptions["known"]): ModeSpectra | null {
  const unfolding = ANALYZED[scheme.id];
  if (unfolding === undefined) return null;
  const groups = "groups" in target.form ? target.form.groups : 1;
  const values = Array.from({ length: groups }, (_, group) => known(target.name, unfolding, groups === 1 ? null : `group:${group}`));
  const length = scheme.fullRanks(target)[0]!;
  return values.every((each): each is Float64Array => each !== null && each.length === length) ? values : null;
}
