import { lowerEdge, marchenkoPasturShare, upperEdge } from "./marchenkoPasturLaw";
import { countAbove } from "./thresholdCount";

/** Fewer eigenvalues than this follow no law that could be told from another. */
const FEWEST_EIGENVALUES = 10;
/**
 * Largest Kolmogorov–Smirnov distance of a bulk of n eigenvalues to its law. Gaussian random matrices reach 2/n (0.2 at
 * 10 rows, 0.01 at 256); the rest is room for weights that are only nearly random. Power laws lie above it, equal
 * singular values at 0.5.
 */
function largestMisfit(n: number): number {
  return 0.05 + 2 / n;
}
/** Halvings of the interval for ln s²: to the last digit. */
const HALVINGS = 70;

export interface Bulk {
  /** Singular values above the bulk. */
  readonly spikes: number;
  /** λ₊/λ₁. */
  readonly softRank: number;
  /** √λ₊ relative to σ₁. */
  readonly edge: number;
  /** A singular value meets the edge. */
  readonly tie: boolean;
}

/**
 * Fits a Marchenko–Pastur law to the bulk of the eigenvalues (Martin & Mahoney, Implicit self-regularization in deep
 * neural networks, JMLR 22, 2021). Its variance s² is the one of the smallest Kolmogorov–Smirnov distance to the
 * eigenvalues at or below its own upper edge λ₊ = s²(1 + √β)²: found by fitting all of them, leaving out those above
 * the edge, and fitting the rest, until none is left out any more. Eigenvalues that are zero but for rounding (dead
 * rows) are not of the bulk and lower β.
 * @param s σ/σ₁, largest first
 * @param noise relative size of rounding
 * @returns null where there is no such bulk: too few eigenvalues, less than half of the K left in it, or a law that fits badly
 */
export function marchenkoPasturBulk(s: Float64Array, rows: number, columns: number, noise: number): Bulk | null {
  const positive = s.filter((value) => value > noise);
  // Scale-free: λ₁ = 1. The N of λ = σ²/N is part of s².
  const ascending = positive.map((value) => value * value).reverse();
  const beta = positive.length / Math.max(rows, columns);
  const fewest = Math.max(FEWEST_EIGENVALUES, s.length / 2);
  let spikes = 0;
  while (positive.length - spikes >= fewest) {
    const bulk = ascending.subarray(0, positive.length - spikes);
    const fit = fitVariance(bulk, beta);
    const edge = fit.variance * upperEdge(beta);
    const { count, tie } = countAbove(positive, Math.sqrt(edge));
    if (count > spikes) {
      spikes = count;
      continue;
    }
    return fit.misfit > largestMisfit(bulk.length) ? null : { spikes, softRank: edge, edge: Math.sqrt(edge), tie };
  }
  return null;
}

interface Fit {
  readonly variance: number;
  readonly misfit: number;
}

/**
 * The variance whose law is closest to the values. Growing variance lowers the law's shares at all values, so that the
 * largest excess of the empirical shares over them never falls and the largest lack never grows: the distance, which is
 * the larger of both, is smallest where they become equal. (Values outside of the law's support keep one of them
 * constant for a while: of all variances of the smallest distance this is then one, and always the same one.)
 */
function fitVariance(ascending: Float64Array, beta: number): Fit {
  // Below the first all values lie above the law's support; at the second all lie below almost all of it.
  let low = Math.log(ascending[0]! / upperEdge(beta));
  let high = Math.log(ascending.at(-1)! / Math.max(lowerEdge(beta), SMALLEST_LOWER_EDGE));
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    const { excess, lack } = distances(ascending, Math.exp(middle), beta);
    if (excess < lack - LEVEL) low = middle;
    else high = middle;
  }
  const variance = Math.exp((low + high) / 2);
  const { excess, lack } = distances(ascending, variance, beta);
  return { variance, misfit: Math.max(excess, lack) };
}

/** Shares closer than this are equal, however they were rounded. */
const LEVEL = 1e-12;

/** For square matrices the law begins at 0; its share below 1e-12 is less than 1e-6. */
const SMALLEST_LOWER_EDGE = 1e-12;

interface Distances {
  /** sup of empirical share − law. */
  readonly excess: number;
  /** sup of law − empirical share. */
  readonly lack: number;
}

function distances(ascending: Float64Array, variance: number, beta: number): Distances {
  const n = ascending.length;
  let [excess, lack] = [0, 0];
  for (let i = 0; i < n; i++) {
    const share = marchenkoPasturShare(ascending[i]! / variance, beta);
    excess = Math.max(excess, (i + 1) / n - share);
    lack = Math.max(lack, share - i / n);
  }
  return { excess, lack };
}
