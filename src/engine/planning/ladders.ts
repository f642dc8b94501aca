import { Fault } from "../../shared/fault";
import type { LayerLadder } from "../../shared/planning";
import { candidateLadder } from "../../factorize/candidateRungs";
import { wholeRung, type ModeSpectra } from "../../factorize/ladder";
import { ONE_POSITION } from "../../factorize/scheme";
import type { PreparedModel } from "./preparedModel";

/** Ranks that a person can try out by dragging: finer than the pixels of a plot. Others are typed. */
const MOST_RUNGS = 1024;

/** What every rank of one layer would cost and lose, by each scheme that fits. @throws Fault not-found */
export function laddersOf(model: PreparedModel, name: string): LayerLadder[] {
  const candidate = model.considered.find((layer) => layer.name === name)?.candidate ?? null;
  if (candidate === null) throw new Fault("not-found", `${name} is no layer that can be factorized.`, "Choose another one.");
  const { latency, times } = model;
  const own = latency?.layers.get(name);
  return candidate.schemes.map((each) => ({
    scheme: each.scheme.id, label: each.scheme.label,
    modes: each.scheme.fit !== undefined ? [] : each.spectra.slice(0, each.scheme.fullRanks(candidate.target).length).map(largestOfGroups),
    rungs: candidateLadder(candidate, each, ONE_POSITION, MOST_RUNGS).map((rung) => ({
      ranks: rung.ranks, parameters: rung.parameters, error: Number(Math.sqrt(rung.error2).toPrecision(6)),
      ms: own !== undefined && times?.schemes.includes(each.scheme.id) === true ? own(rung) : null,
    })),
    wholeMs: own?.({ scheme: null, parameters: wholeRung(candidate.target, ONE_POSITION).parameters }) ?? null,
  }));
}

/** Groups share a rank: at each index the largest of their values is what is lost first. */
function largestOfGroups(groups: ModeSpectra): number[] {
  const length = groups.reduce((most, values) => Math.max(most, values.length), 0);
  return Array.from({ length }, (_, index) => groups.reduce((most, values) => Math.max(most, values[index] ?? 0), 0));
}
