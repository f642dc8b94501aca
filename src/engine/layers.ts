import type { FirstFigures, LayerRow, Measures } from "../shared/report";

/** The rows of one layer, as the table and the map show them. */
export interface LayerGroup {
  /** The layer's own line: its main matrix, or a stand-in with means over its parts. */
  readonly main: LayerRow;
  /** True when `main` is such a stand-in. */
  readonly mean: boolean;
  /** Further rows: all parts of a layer without a main matrix, otherwise what comes beside it. */
  readonly children: readonly LayerRow[];
}

/**
 * Groups rows by layer. Rows of one name that follow each other are one layer. Its main matrix is the
 * first row without a part; a layer of parts only is represented by the mean over them.
 */
export function groupLayers(rows: readonly LayerRow[]): LayerGroup[] {
  const groups: LayerGroup[] = [];
  for (let start = 0; start < rows.length;) {
    let end = start + 1;
    while (end < rows.length && rows[end]!.name === rows[start]!.name) end++;
    groups.push(groupOf(rows.slice(start, end)));
    start = end;
  }
  return groups;
}

function groupOf(rows: readonly LayerRow[]): LayerGroup {
  const main = rows.length === 1 ? rows[0] : rows.find((row) => row.part === null);
  if (main !== undefined) return { main, mean: false, children: rows.filter((row) => row !== main) };
  return { main: standIn(rows), mean: true, children: rows };
}

/** A line for a layer of parts: measured once all parts are done or failed, by the parts that are done. */
function standIn(parts: readonly LayerRow[]): LayerRow {
  const first = parts[0]!;
  const measured = parts.flatMap((part) => part.measures ?? []);
  const settled = parts.every((part) => part.state === "done" || part.state === "failed");
  const started = parts.some((part) => part.state !== "pending");
  const state = !settled ? (started ? "computing" : "pending") : measured.length > 0 ? "done" : "failed";
  const count = measured.length === parts.length || !settled ? `${parts.length}` : `${measured.length} of ${parts.length}`;
  return {
    ...first,
    part: null,
    parameters: parts.reduce((sum, part) => sum + part.parameters, 0),
    notes: [`mean of ${count} parts`, ...first.notes],
    state,
    first: state === "done" || state === "failed" ? null : meanFirst(parts),
    measures: state === "done" ? meanMeasures(measured) : null,
    fault: state === "failed" ? first.fault : null,
  };
}

/** Of parts that are all known at least by first figures; the largest of their errors. */
function meanFirst(parts: readonly LayerRow[]): FirstFigures | null {
  const all = parts.flatMap(({ first, measures }) => first ?? (measures === null ? [] : [{ ...measures, relativeError: measures.relativeError ?? 0 }]));
  if (all.length < parts.length) return null;
  const mean = (pick: (figures: FirstFigures) => number): number => all.reduce((sum, figures) => sum + pick(figures), 0) / all.length;
  return {
    frobeniusNorm: mean((f) => f.frobeniusNorm),
    spectralNorm: mean((f) => f.spectralNorm),
    stableRank: mean((f) => f.stableRank),
    relativeError: Math.max(...all.map((f) => f.relativeError)),
  };
}

/**
 * Arithmetic means, of integer measures too. A measure that one of the parts does not have (an infinite
 * condition number, a threshold that cannot be placed) has no mean.
 */
export function meanMeasures(all: readonly Measures[]): Measures {
  const mean = (pick: (measures: Measures) => number): number => all.reduce((sum, measures) => sum + pick(measures), 0) / all.length;
  const meanOrNull = (pick: (measures: Measures) => number | null): number | null =>
    all.some((measures) => pick(measures) === null) ? null : mean((measures) => pick(measures) ?? 0);
  const bulk = all.every((measures) => measures.marchenkoPastur !== null);
  return {
    frobeniusNorm: mean((m) => m.frobeniusNorm),
    spectralNorm: mean((m) => m.spectralNorm),
    nuclearNorm: mean((m) => m.nuclearNorm),
    stableRank: mean((m) => m.stableRank),
    effectiveRank: mean((m) => m.effectiveRank),
    participationRatio: mean((m) => m.participationRatio),
    numericalRank: mean((m) => m.numericalRank),
    energyRank: {
      "0.9": mean((m) => m.energyRank["0.9"]),
      "0.95": mean((m) => m.energyRank["0.95"]),
      "0.99": mean((m) => m.energyRank["0.99"]),
    },
    utilization: mean((m) => m.utilization),
    conditionNumber: meanOrNull((m) => m.conditionNumber),
    hardThresholdRank: meanOrNull((m) => m.hardThresholdRank),
    evbmfRank: mean((m) => m.evbmfRank),
    marchenkoPastur: bulk
      ? {
          spikes: mean((m) => m.marchenkoPastur?.spikes ?? 0),
          softRank: mean((m) => m.marchenkoPastur?.softRank ?? 0),
          edge: mean((m) => m.marchenkoPastur?.edge ?? 0),
        }
      : null,
    powerLawAlpha: meanOrNull((m) => m.powerLawAlpha),
    breakEvenRank: mean((m) => m.breakEvenRank),
    spectralRadius: meanOrNull((m) => m.spectralRadius),
    exact: all.every((m) => m.exact),
    relativeError: all.every((m) => m.exact) ? null : Math.max(...all.map((m) => m.relativeError ?? 0)),
    ties: [...new Set(all.flatMap((m) => m.ties))],
    ms: all.reduce((sum, m) => sum + m.ms, 0),
  };
}
