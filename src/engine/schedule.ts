import { totalmem } from "node:os";
import { estimateCost } from "../linalg/exactSolver";
import type { Report } from "./report";

/** What a compute process is given: rows of one layer, whose tensor is read once. */
export interface LayerTask {
  readonly layer: number;
  /** Ids of rows, in the model's order. */
  readonly rows: number[];
  /** Time it takes, in the unit of `estimateCost`. */
  readonly cost: number;
  /** Estimate of the memory it takes at its peak. */
  readonly bytes: number;
}

/** Stored bytes and decoded values of a tensor in memory at once, per weight (at most float64 twice). */
const BYTES_PER_WEIGHT = 12;
/** Float64 matrix, the solver's own copy, and room for its work. */
const BYTES_PER_ENTRY = 24;
/** Part of the machine's memory that compute processes share; a layer that needs more still runs, alone. */
const MEMORY_SHARE = 0.5;

/** Layers with rows to compute, costliest first: the long ones must not be left for the end. */
export function tasksOf(report: Report, selected: (id: number) => boolean): LayerTask[] {
  const byLayer = new Map<number, number[]>();
  for (const { id, state } of report.rows) {
    const layer = report.places[id]?.layer;
    if (layer === undefined || state === "done" || state === "failed" || !selected(id)) continue;
    byLayer.set(layer, [...(byLayer.get(layer) ?? []), id]);
  }
  return [...byLayer].map(([layer, rows]) => taskOf(report, layer, rows)).sort((a, b) => b.cost - a.cost);
}

export function taskOf(report: Report, layer: number, rows: number[]): LayerTask {
  const weights = (report.layers[layer]?.tensor.shape ?? []).reduce((product, size) => product * size, 1);
  const largest = Math.max(0, ...rows.map((id) => report.rows[id]?.parameters ?? 0));
  return { layer, rows, cost: rows.reduce((sum, id) => sum + costOf(report, id), 0), bytes: weights * BYTES_PER_WEIGHT + largest * BYTES_PER_ENTRY };
}

export function costOf(report: Report, id: number): number {
  const row = report.rows[id];
  return row === undefined ? 0 : estimateCost(...row.matrix);
}

/** Bytes that the compute processes may use together; respects a container's limit where Node knows it. */
export function memoryBudget(): number {
  const limit = process.constrainedMemory?.() ?? 0;
  return MEMORY_SHARE * (limit > 0 ? Math.min(limit, totalmem()) : totalmem());
}
