import { largestEigenvalueModulus } from "../linalg/eigenvalues";
import { elementTypeOf, type Matrix } from "../linalg/matrix";
import type { RowSource } from "../linalg/rowSource";
import type { RatedSolver, RowSolver } from "../linalg/singularValues";
import type { Measures } from "../shared/report";
import { breakEvenRank } from "./breakEven";
import { energyRank } from "./energyRank";
import { entropyRanks } from "./entropyRanks";
import { evbmfRank } from "./evbmf";
import { hardThresholdRank } from "./hardThreshold";
import { marchenkoPasturBulk } from "./marchenkoPastur";
import { frobeniusNorm, nuclearNorm } from "./norms";
import { conditionNumber, numericalTolerance } from "./numericalRank";
import { powerLaw } from "./powerLaw";
import { relativeSpectrum } from "./relativeSpectrum";
import { roundingNoise } from "./roundingNoise";
import { withNorm } from "./rowNorm";
import type { MatrixFacts, Measured, MeasureMatrix } from "./spectrum";
import { countAbove } from "./thresholdCount";

/**
 * All measures of a matrix by a solver's spectrum. The matrix is read before the solver may overwrite it.
 * `ms` is left 0: the caller knows what reading took.
 */
export function measureMatrix(solver: RatedSolver): MeasureMatrix {
  return async (matrix, facts) => {
    const spectralRadius = facts.recurrent && matrix.rows === matrix.columns ? largestEigenvalueModulus(matrix) : null;
    const { singularValues, frobeniusNorm: frobenius, accuracy } = await checkedSpectrum(solver, matrix);
    return { singularValues, measures: { ...ofSpectrum(singularValues, facts, accuracy), frobeniusNorm: frobenius, spectralRadius } };
  };
}

/** The same for a matrix that is read by its rows; it has no spectral radius. */
export async function measureRows(solver: RowSolver, source: RowSource, facts: MatrixFacts): Promise<Measured> {
  const { rows, norm } = withNorm(source);
  const singularValues = await solver.singularValuesOf(rows);
  assertEnergy(singularValues, norm(), source);
  return { singularValues, measures: { ...ofSpectrum(singularValues, facts, solver.accuracyFor(source)), frobeniusNorm: norm(), spectralRadius: null } };
}

export interface CheckedSpectrum {
  /** Largest first. */
  readonly singularValues: Float64Array;
  readonly frobeniusNorm: number;
  /** Bound of |Δσ|/σ₁. */
  readonly accuracy: number;
}

/** A spectrum that has the energy of its matrix, whose storage may be overwritten. */
export async function checkedSpectrum(solver: RatedSolver, matrix: Matrix): Promise<CheckedSpectrum> {
  const frobenius = frobeniusNorm(matrix), accuracy = solver.accuracyFor({ rows: matrix.rows, columns: matrix.columns, type: elementTypeOf(matrix) });
  const singularValues = await solver.singularValues(matrix);
  assertEnergy(singularValues, frobenius, matrix);
  return { singularValues, frobeniusNorm: frobenius, accuracy };
}

/**
 * Measures that follow from the singular values and the facts.
 * @param singularValues largest first, K of them: those that a matrix in factors cannot have are left out
 * @param accuracy bound of |Δσ|/σ₁
 */
export function ofSpectrum(singularValues: Float64Array, facts: MatrixFacts, accuracy: number): Omit<Measures, "frobeniusNorm" | "spectralRadius"> {
  const { rows, columns } = facts;
  const s = relativeSpectrum(singularValues);
  // Laws of noise are of all of the matrix's values, zeros too.
  const all = withZeros(s, Math.min(rows, columns));
  const first = singularValues[0] ?? 0;
  const tolerance = numericalTolerance(s, rows, columns, facts.epsilon);
  const noise = roundingNoise(s, rows, columns, facts.epsilon);
  const counts = {
    numericalRank: countAbove(s, tolerance, accuracy),
    "energyRank0.9": energyRank(s, 0.9),
    "energyRank0.95": energyRank(s, 0.95),
    "energyRank0.99": energyRank(s, 0.99),
    hardThresholdRank: hardThresholdRank(all, rows, columns, noise),
    evbmfRank: evbmfRank(all, rows, columns, noise),
    spikes: marchenkoPasturBulk(all, rows, columns, noise),
    powerLawAlpha: powerLaw(s, noise),
  };
  const bulk = counts.spikes;
  return {
    spectralNorm: first,
    nuclearNorm: nuclearNorm(singularValues),
    ...entropyRanks(s),
    numericalRank: counts.numericalRank.count,
    energyRank: { "0.9": counts["energyRank0.9"].count, "0.95": counts["energyRank0.95"].count, "0.99": counts["energyRank0.99"].count },
    conditionNumber: conditionNumber(s, tolerance),
    hardThresholdRank: counts.hardThresholdRank?.count ?? null,
    evbmfRank: counts.evbmfRank.count,
    marchenkoPastur: bulk === null ? null : { spikes: bulk.spikes, softRank: bulk.softRank, edge: bulk.edge * first },
    powerLawAlpha: counts.powerLawAlpha?.alpha ?? null,
    breakEvenRank: facts.breakEvenRank ?? breakEvenRank(rows, columns),
    exact: true,
    relativeError: null,
    ties: Object.entries(counts).flatMap(([name, result]) => (result?.tie === true ? [name] : [])),
    ms: 0,
  };
}

function withZeros(s: Float64Array, length: number): Float64Array {
  if (s.length >= length) return s;
  const all = new Float64Array(length);
  all.set(s);
  return all;
}

/** Far above what any solver may lose, far below what a wrong spectrum shows. */
const ENERGY_TOLERANCE = 1e-4;
/** Denormal norms have too few digits to compare. */
const SMALLEST_NORMAL = 2 ** -1022;

/** Σσ² = ‖W‖_F²: a solver that went wrong must not become a plausible report. */
function assertEnergy(singularValues: Float64Array, frobenius: number, { rows, columns }: { readonly rows: number; readonly columns: number }): void {
  const length = frobeniusNorm({ data: singularValues });
  const allowed = Math.max(ENERGY_TOLERANCE * frobenius, SMALLEST_NORMAL);
  // Equal covers two norms beyond the range of float64.
  if (length === frobenius || Math.abs(length - frobenius) <= allowed) return;
  throw new Error(`the singular values of a matrix of ${rows} × ${columns} have the norm ${length} instead of ${frobenius}`);
}
