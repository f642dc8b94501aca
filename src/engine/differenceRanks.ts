import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { Fault } from "../shared/fault";
import type { ConfigText, DifferenceRanks } from "../shared/configReading";
import type { Work } from "../shared/planning";
import { adapterModule, moduleOf, pathFinder } from "../compare/adapterBase";
import { rankForMost, wholeLayers, type Comparison } from "../compare/comparison";
import type { OpenOptions } from "../models/model";
import { adaptedBy, type Adapted } from "../training/adapted";
import type { BaseModels } from "../training/base/baseModels";
import { readConfigs } from "../training/ecosystems/ecosystems";
import { differenceRanks } from "../training/rewrites/differenceRanks";
import { baseOf } from "../training/training";
import { compareApart } from "./compareApart";

export interface DifferenceOptions {
  readonly compareScript: string;
  readonly open: OpenOptions;
  /** 0: as many as there are cores. */
  readonly threads: number;
  readonly onWork: (work: Work) => void;
  readonly log: (text: string) => void;
}

/**
 * Ranks for a config's targets, from what was trained from its base model before.
 * @throws Fault when the config adapts nothing that is known, or the chosen file changes none of it; Cancelled
 */
export async function ranksFromDifference(source: ConfigText & { readonly config: number; readonly path: string }, bases: BaseModels, options: DifferenceOptions, signal: AbortSignal): Promise<DifferenceRanks> {
  const { path } = source;
  const config = readConfigs(source.text, source.language, source.fileName)[source.config];
  const base = config === undefined ? null : await baseOf(config, source, bases);
  const outcome = config === undefined || base?.state !== "found" ? null : adaptedBy(config, base.modules);
  if (config === undefined || base?.state !== "found" || outcome?.known !== true) {
    throw new Fault("usage", "The config's base model, or what it adapts of it, is not known.", "Choose the base model first, and name the targets.");
  }
  const request = { a: base.modules.path, b: path, options: options.open, threads: options.threads > 0 ? options.threads : availableParallelism() };
  const comparison = await compareApart(options.compareScript, request, signal, (message) => {
    if (message.type === "progress") options.onWork({ path, task: "compare", layer: message.name, done: message.done, total: message.total });
    if (message.type === "notice") options.log(message.text);
  });
  const energyRanks = energyRanksOf(comparison, outcome.adapted);
  const name = nameOf(path);
  if (energyRanks.size === 0) throw new Fault("not-found", `${name} changes none of the ${outcome.adapted.modules.length} modules that the config adapts.`, "Choose a model that was trained from this base model, or an adapter of it.");
  const ranks = differenceRanks(config, outcome.adapted, { name, energyRanks, most: rankForMost([...energyRanks.values()]) });
  if (ranks === null) throw new Fault("unsupported", "The ranks cannot be written where they stand in this file.", "Write them by hand: ranklens compare shows them.");
  return ranks;
}

/** Of the adapted modules whose difference was measured, and is one. */
function energyRanksOf({ layers }: Comparison, { modules }: Adapted): Map<string, number> {
  const changed = new Map(wholeLayers(layers).filter(({ frobeniusNorm }) => frobeniusNorm > 0).map((layer) => [moduleOf(layer.baseName ?? adapterModule(layer.name)), layer.energyRank["0.9"]]));
  const find = pathFinder([...changed.keys()]);
  return new Map(modules.flatMap(({ module: { name } }) => {
    const rank = changed.get(find(name) ?? "");
    return rank === undefined ? [] : [[name, rank] as const];
  }));
}

/** "checkpoint-500/model.safetensors": most models have a file of that name. */
function nameOf(path: string): string {
  return join(basename(dirname(path)), basename(path));
}
