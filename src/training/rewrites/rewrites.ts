import type { ConfigRewrite, RangeEdit, TextRange } from "../../shared/configReading";
import type { Adapted } from "../adapted";
import type { ModelModules } from "../base/modelModules";
import type { Setting, TrainingConfig } from "../config";
import { replaceScalar, setEntries, setEntry } from "../documents/edits/edits";
import type { Plain } from "../documents/edits/plain";
import type { TextEdit } from "../documents/located";
import { namesOf } from "../hints/moduleGroups";
import { depthPattern, equalPattern, type ProposedPattern } from "./rankPatterns";

/** What could be otherwise, with nothing wrong as it is. Each leaves the rest of the file as it stands. */
export function rewritesOf(config: TrainingConfig, adapted: Adapted | null, model: ModelModules | null): ConfigRewrite[] {
  if (config.method !== "lora") return projectionRewrites(config, model);
  return [
    ...rankRewrites(config),
    ...rankStabilized(config),
    ...loraPlus(config),
    ...(model === null ? [] : allLinear(config, model)),
    ...(adapted === null ? [] : patternRewrites(config, adapted)),
    ...projectionRewrites(config, model),
  ];
}

/** Where a rewrite of a setting is offered: on its key and value. */
export function placeOf({ entry, node }: Setting<unknown>): TextRange | null {
  return entry !== null && !entry.borrowed ? entry.range : (node?.range ?? null);
}

/** @returns none where one of the edits cannot be made without touching more of the file */
function rewrite(title: string, range: TextRange | null, edits: readonly (TextEdit | null)[]): ConfigRewrite[] {
  const possible = whole(edits);
  return range === null || possible === null ? [] : [{ title, range, edits: possible }];
}

/** null where one of them cannot be made. */
function whole(edits: readonly (TextEdit | null)[]): RangeEdit[] | null {
  const possible = edits.filter((edit): edit is RangeEdit => edit !== null);
  return possible.length < edits.length ? null : possible;
}

function setScalar({ document }: TrainingConfig, { node, entry }: Setting<unknown>, value: number): TextEdit | null {
  return node?.kind === "scalar" && entry?.borrowed !== true ? replaceScalar(document, node, value) : null;
}

/** α′ = α·r′/r keeps the scale (PEFT's scaling α/r). Rank patterns have ranks of their own, which would not follow. */
function rankRewrites(config: TrainingConfig): ConfigRewrite[] {
  const { rank, alpha, scaling } = config;
  if (rank.value === null || alpha.value === null || rank.node === null || config.rankPattern.entries.length > 0) return [];
  const [r, a] = [rank.value, alpha.value];
  return [2 * r, r / 2].filter((next) => Number.isInteger(next) && next >= 1).flatMap((next) => {
    const scaled = scaledAlpha(scaling, a, r, next);
    if (scaled === null) return [];
    const alphaEdit = alpha.node === null ? newEntry(config, "alpha", scaled) : setScalar(config, alpha, scaled);
    return rewrite(`${next > r ? "Double" : "Halve"} the rank to ${next} at the same scale (α ${figure(scaled)})`, placeOf(rank), [setScalar(config, rank, next), alphaEdit]);
  });
}

/** α′ of the same scale; null where the scale does not depend on the rank. */
function scaledAlpha(scaling: TrainingConfig["scaling"], alpha: number, rank: number, next: number): number | null {
  return scaling === "alpha/r" ? (alpha * next) / rank : scaling === "alpha/sqrt(r)" ? alpha * Math.sqrt(next / rank) : null;
}

/** Another rank for all modules, at the same scale. @returns null where the file cannot be edited so */
export function rankEdits(config: TrainingConfig, next: number): RangeEdit[] | null {
  const { rank, alpha, scaling } = config;
  const scaled = rank.value === null || alpha.value === null ? null : scaledAlpha(scaling, alpha.value, rank.value, next);
  const alphaEdit = scaled === null ? [] : [alpha.node === null ? newEntry(config, "alpha", scaled) : setScalar(config, alpha, scaled)];
  return whole([setScalar(config, rank, next), ...alphaEdit]);
}

/** α/√r with α′ = α/√r is the scale of α/r (rsLoRA, arXiv 2312.03732). */
function rankStabilized(config: TrainingConfig): ConfigRewrite[] {
  const { rank, alpha, scaling, useRslora, keys } = config;
  if (scaling !== "alpha/r" || keys.useRslora === undefined || useRslora.value === true || rank.value === null || alpha.value === null) return [];
  if (config.rankPattern.entries.length > 0 || config.alphaPattern.entries.length > 0) return [];
  const scaled = alpha.value / Math.sqrt(rank.value);
  const alphaKey = alpha.node === null ? keys.alpha : undefined;
  if (alpha.node === null && alphaKey === undefined) return [];
  const added: [string, Plain][] = [...(alphaKey === undefined ? [] : [[alphaKey, scaled] as [string, Plain]]), [keys.useRslora, true]];
  return rewrite(`Scale by α/√r (rank-stabilised) at the same scale: α ${figure(scaled)}`, placeOf(alpha.node === null ? rank : alpha), [
    ...(alpha.node === null ? [] : [setScalar(config, alpha, scaled)]), ...(setEntries(config.document, config.section, added, rank.entry) ?? [null]),
  ]);
}

/** The learning rate of B over that of A that LoRA+ starts from (arXiv 2402.12354). */
const LORA_PLUS_RATIO = 16;

function loraPlus(config: TrainingConfig): ConfigRewrite[] {
  const { optimizer: { loraPlusRatio }, rank } = config;
  if (config.keys.loraPlusRatio === undefined || loraPlusRatio.node !== null) return [];
  return rewrite(`Train B faster than A (LoRA+, ratio ${LORA_PLUS_RATIO}; lower the learning rate about 2 times)`, placeOf(rank), [newEntry(config, "loraPlusRatio", LORA_PLUS_RATIO)]);
}

/** All linear layers rather than some (arXiv 2405.09673). */
function allLinear(config: TrainingConfig, model: ModelModules): ConfigRewrite[] {
  const { targets, document, section, keys } = config;
  if (targets.form !== "list" || !targets.complete || targets.entry === null || keys.targets === undefined) return [];
  const blocks = namesOf(model.modules.filter(({ kind, name, tiedTo }) => kind === "linear" && tiedTo.length === 0 && /\d/.test(name))).map(({ name }) => name);
  const missing = blocks.filter((name) => !targets.items.some(({ text }) => text === name));
  if (missing.length === 0 || blocks.length === missing.length) return [];
  return rewrite(`Target all linear layers: add ${missing.join(", ")}`, targets.entry.range, [setEntry(document, section, keys.targets, [...targets.items.map(({ text }) => text), ...missing], targets.entry)]);
}

/** Other ranks at the same number of trainable parameters, and α in proportion. */
function patternRewrites(config: TrainingConfig, adapted: Adapted): ConfigRewrite[] {
  const { rank } = config;
  if (rank.value === null || !takesPattern(config)) return [];
  const offer = (title: string, pattern: ProposedPattern | null): ConfigRewrite[] => (pattern === null ? [] : rewrite(title, placeOf(rank), patternTexts(config, pattern)));
  return [
    ...offer("Let ranks grow with depth at the same number of parameters (PRILoRA)", depthPattern(adapted.modules, rank.value)),
    ...offer("Give every target the same number of parameters (ranks by shape)", equalPattern(adapted.modules, rank.value)),
  ];
}

/** Whether a rank pattern can be written, and nobody has written one. */
export function takesPattern({ keys, rankPattern, alphaPattern }: TrainingConfig): boolean {
  return keys.rankPattern !== undefined && [rankPattern, alphaPattern].every(({ entries, entry }) => entries.length === 0 && entry === null);
}

/** A rank pattern with its α at the same scale. @returns null where the file cannot be edited so */
export function patternEdits(config: TrainingConfig, pattern: ProposedPattern): RangeEdit[] | null {
  return whole(patternTexts(config, pattern));
}

function patternTexts(config: TrainingConfig, pattern: ProposedPattern): (TextEdit | null)[] {
  const { keys: { rankPattern: rankKey, alphaPattern: alphaKey }, document, section, rank, alpha } = config;
  if (rankKey === undefined || rank.value === null) return [null];
  const r = rank.value;
  const scaled = Object.fromEntries(Object.entries(pattern).map(([key, next]) => [key, (alpha.value ?? r) * (config.scaling === "alpha/sqrt(r)" ? Math.sqrt(next / r) : next / r)]));
  const added: [string, Plain][] = [[rankKey, pattern], ...(alphaKey === undefined ? [] : [[alphaKey, scaled] as [string, Plain]])];
  return setEntries(document, section, added, rank.entry) ?? [null];
}

function newEntry({ document, section, keys, rank }: TrainingConfig, name: "alpha" | "loraPlusRatio", value: number): TextEdit | null {
  const key = keys[name];
  return key === undefined ? null : setEntry(document, section, key, value, rank.entry);
}

/** Ranks of the authors' experiments by hidden size (GaLore, arXiv 2403.03507, tables 2 and 5). */
const GALORE_RANKS: Readonly<Record<number, number>> = { 512: 128, 768: 256, 1024: 256, 2048: 512, 4096: 1024 };
/** APOLLO's by hidden size (arXiv 2412.05270, §5.1): a quarter, 256 at most. */
const APOLLO_SHARE = 4, APOLLO_MOST = 256;

function projectionRewrites(config: TrainingConfig, model: ModelModules | null): ConfigRewrite[] {
  const projected = config.optimizer.projected;
  const hidden = model?.hiddenSize ?? null;
  if (projected === null || hidden === null) return [];
  const [name, usual] = projected.family === "apollo" ? ["APOLLO", Math.min(APOLLO_MOST, Math.round(hidden / APOLLO_SHARE))] : ["GaLore", GALORE_RANKS[hidden] ?? Math.round(hidden / 4)];
  if (projected.rank.value === usual) return [];
  return rewrite(`Set ${name}'s rank to ${usual}, as its authors do at a hidden size of ${hidden}`, placeOf(projected.rank), [setScalar(config, projected.rank, usual)]);
}

const figure = (value: number): string => String(Number(value.toPrecision(4)));
