import type { LayerRow, Measures } from "../shared/report";
import { unmeasured, type ReportData } from "./export";

const SCHEMA = "ranklens.analysis/1";

/**
 * The stable JSON that other programs read. New keys may be added, none is renamed or removed within a schema
 * number. One layer a line, so that two reports can be compared by line.
 */
export function reportAsJson(report: ReportData, spectrum: boolean): string {
  const { path, format, parameters, bytes, tensors } = report.summary;
  const layers = report.rows.flatMap((row) => (row.measures === null ? [] : [layerJson(row, row.measures, spectrum ? report.spectrum(row.id) : null)]));
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

function layerJson(row: LayerRow, m: Measures, singularValues: ArrayLike<number> | null): object {
  return {
    name: row.name,
    kind: row.kind,
    shape: row.shape,
    dtype: row.dtype,
    parameters: row.parameters,
    matrix: row.matrix,
    unfolding: row.unfolding,
    part: row.part,
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
    input: row.input,
    notes: row.notes,
  };
}

function lines(items: readonly object[]): string {
  return items.length === 0 ? "[]" : `[\n    ${items.map((item) => JSON.stringify(item)).join(",\n    ")}\n  ]`;
}
