import { estimateCompositeCost, mostEntries } from "../linalg/compositeCost";
import { estimateCost } from "../linalg/exactSolver";
import { clipped } from "../models/clipped";
import type { LayerRow } from "../shared/report";
import type { Depth } from "./computeProtocol";
import { factorSizes, factorWeights } from "./factored";
import { bytesByRows, bytesOfWhole } from "./memory";
import type { Report } from "./report";

/** What a compute process is given: rows of one layer, whose tensor is read once. */
export interface LayerTask {
  readonly layer: number;
  /** Ids of rows, in the model's order. */
  readonly rows: number[];
  readonly depth: Depth;
  /** Time it takes, in the unit of `estimateCost`. */
  readonly cost: number;
  /** Estimate of the memory it takes at its peak. */
  readonly bytes: number;
}

/** Matrices of a smaller shorter side are measured in full as soon as they could be estimated: the solver's Krylov space would be half of it. */
const SMALLEST_ESTIMATED = 576;
/** An analysis shorter than some seconds needs no sweep ahead of it, in the unit of `estimateCost`. */
const SHORTEST_SWEPT = 5e10;
const MEGABYTE = 2 ** 20;
/** Block Krylov iteration: 16 products of the matrix with a block of 32 columns. */
const FIRST_OPERATIONS = 2 * 16 * 32;

/**
 * What is to be computed, in order: first figures of the large matrices, so that a report of any size says
 * something soon, then full spectra, costliest first: the long ones must not be left for the end.
 * @param estimateOnly leave out the spectra of matrices that get first figures
 */
export function tasksOf(report: Report, selected: (id: number) => boolean, estimateOnly: boolean): LayerTask[] {
  const open = report.rows.filter(({ id, state }) => state !== "done" && state !== "failed" && selected(id)).map(({ id }) => id);
  const full = byLayer(report, open, "full");
  const swept = estimateOnly || full.reduce((sum, { cost }) => sum + cost, 0) > SHORTEST_SWEPT;
  const large = new Set(swept ? open.filter((id) => isEstimated(report.rows[id])) : []);
  const first = byLayer(report, [...large].filter((id) => report.rows[id]?.first === null), "first");
  return [...first, ...(estimateOnly ? byLayer(report, open.filter((id) => !large.has(id)), "full") : full)];
}

/** Factors are small: their spectrum takes no longer than an estimate. */
function isEstimated(row: LayerRow | undefined): boolean {
  return row !== undefined && row.factorRank === null && Math.min(...row.matrix) >= SMALLEST_ESTIMATED;
}

function byLayer(report: Report, ids: readonly number[], depth: Depth): LayerTask[] {
  const layers = new Map<number, number[]>();
  for (const id of ids) {
    const layer = report.places[id]?.layer;
    if (layer !== undefined) layers.set(layer, [...(layers.get(layer) ?? []), id]);
  }
  return [...layers].map(([layer, rows]) => taskOf(report, layer, rows, depth)).sort((a, b) => b.cost - a.cost);
}

export function taskOf(report: Report, layer: number, rows: number[], depth: Depth): LayerTask {
  const cost = rows.reduce((sum, id) => sum + costOf(report, id, depth), 0);
  return { layer, rows, depth, cost, bytes: bytesOf(report, layer, rows) };
}

function bytesOf(report: Report, index: number, ids: readonly number[]): number {
  const layer = report.layers[index];
  if (layer === undefined) return 0;
  const { factored, tensor: { shape, dtype } } = layer;
  // A matrix in factors is never formed: what the solver gets is no larger than its largest factor.
  if (factored !== undefined) return bytesOfWhole(factorWeights(factored), [1, mostEntries(factorSizes(factored))], dtype);
  const weights = shape.reduce((product, size) => product * size, 1);
  const sizes = ids.flatMap((id) => report.rows[id] ?? []).map(({ matrix }) => matrix);
  const reading = report.readings[index] ?? "whole";
  return Math.max(0, ...sizes.map((size) => {
    if (reading === "whole") return bytesOfWhole(weights, size, dtype);
    const [rows, columns] = size;
    // What is read by its columns is the transpose.
    return bytesByRows(reading === "rows" ? size : [columns, rows], dtype);
  }));
}

export function costOf(report: Report, id: number, depth: Depth): number {
  const row = report.rows[id];
  if (row === undefined) return 0;
  const factored = report.layers[report.places[id]?.layer ?? -1]?.factored;
  if (factored !== undefined) return estimateCompositeCost(factorSizes(factored));
  return depth === "full" ? estimateCost(...row.matrix) : FIRST_OPERATIONS * row.parameters;
}

/** Which layers take more memory than is allowed, in a sentence; null when none do. They are computed all the same. */
export function excessOf(report: Report, tasks: readonly LayerTask[], budget: number): string | null {
  const [largest, ...others] = tasks.filter(({ bytes }) => bytes > budget).sort((a, b) => b.bytes - a.bytes);
  if (largest === undefined) return null;
  const name = clipped(report.layers[largest.layer]?.tensor.name ?? "A layer");
  const more = new Set(others.map(({ layer }) => layer).filter((layer) => layer !== largest.layer)).size;
  const need = `needs about ${Math.ceil(largest.bytes / MEGABYTE)} MB of memory, and the computing processes may take ${Math.floor(budget / MEGABYTE)} MB`;
  return more === 0 ? `${name} ${need}: it is computed alone.` : `${name} ${need}: it is computed alone, and so ${more === 1 ? "is 1 other layer" : `are ${more} other layers`}.`;
}
