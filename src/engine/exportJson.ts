import { fullRank } from "../shared/fullRank";
import type { FirstFigures, LayerRow, Measures } from "../shared/report";
import { unmeasured, type ReportData } from "./export";

const SCHEMA = "ranklens.analysis/1";

/**
 * The stable JSON that other programs read. New keys may be added, none is renamed or removed within a schema
 * number. One layer a line, so that two reports can be compared by line.
 */
export function reportAsJson(report: ReportData, spectrum: boolean): string {
  const { path, format, parameters, bytes, tensors } = report.summary;
  const layers = report.rows.flatMap((row) => {
    if (row.measures !== null) return [{ ...identityJson(row), ...measuresJson(row.measures, spectrum ? report.spectrum(row.id) : null), input: row.input, notes: row.notes }];
    return row.first === null ? [] : [{ ...identityJson(row), ...firstJson(row.first), input: row.input, notes: row.notes }];
  });
  const { totalMs, readMs, computeMs } = report.timing();
  const parts = [
    `"schema": ${JSON.stringify(SCHEMA)}`,
    `"model": ${JSON.stringify({ path, format, parameters, bytes, tensors, notes: report.summary.notes })}`,
    `"layers": ${lines(layers)}`,
    `"skipped": ${lines(unmeasured(report).map(({ name, shape, dtype, reason }) => ({ name, shape, dtype, reason })))}`,
    `"timing": ${JSON.stringify({ totalMs, readMs, computeMs })}`,
  ];
  return `{\n  ${parts.join(",\n  ")}\n}\n`;
}

function identityJson(row: LayerRow): object {
  return {
    name: row.name,
    kind: row.kind,
    shape: row.shape,
    dtype: row.dtype,
    parameters: row.parameters,
    matrix: row.matrix,
    fullRank: fullRank(row),
    unfolding: row.unfolding,
    part: row.part,
  };
}

/** What only a full spectrum gives is null; `relativeError` is that of the spectral norm, the stable rank's is twice it. */
function firstJson(first: FirstFigures): object {
  const { frobeniusNorm, spectralNorm, stableRank, relativeError } = first;
  return { frobeniusNorm, spectralNorm, ...NOT_KNOWN, stableRank, exact: false, relativeError };
}

const NOT_KNOWN = {
  nuclearNorm: null, effectiveRank: null, participationRatio: null, numericalRank: null, energyRank: null, conditionNumber: null, hardThresholdRank: null,
  utilization: null, evbmfRank: null, marchenkoPastur: null, powerLawAlpha: null, spectralRadius: null, ties: [],
};

function measuresJson(m: Measures, singularValues: ArrayLike<number> | null): object {
  return {
    frobeniusNorm: m.frobeniusNorm,
    spectralNorm: m.spectralNorm,
    nuclearNorm: m.nuclearNorm,
    stableRank: m.stableRank,
    effectiveRank: m.effectiveRank,
    participationRatio: m.participationRatio,
    numericalRank: m.numericalRank,
    energyRank: m.energyRank,
    conditionNumber: m.conditionNumber,
    hardThresholdRank: m.hardThresholdRank,
    breakEvenRank: m.breakEvenRank,
    exact: m.exact,
    relativeError: m.relativeError,
    ...(singularValues === null ? {} : { singularValues: Array.from(singularValues) }),
    ms: m.ms,
    utilization: m.utilization,
    evbmfRank: m.evbmfRank,
    marchenkoPastur: m.marchenkoPastur,
    powerLawAlpha: m.powerLawAlpha,
    spectralRadius: m.spectralRadius,
    ties: m.ties,
  };
}

function lines(items: readonly object[]): string {
  return items.length === 0 ? "[]" : `[\n    ${items.map((item) => JSON.stringify(item)).join(",\n    ")}\n  ]`;
}
