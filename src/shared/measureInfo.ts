import type { SortKey } from "./protocol";
import type { Measures } from "./report";

/** What a person is told about one measure: table heads, hovers, documentation and export all take it from here. */
export interface MeasureInfo {
  readonly key: SortKey;
  readonly label: string;
  /** Head of a narrow column. */
  readonly short: string;
  /** One sentence with the formula. σ₁ ≥ … ≥ σ_K are the singular values of the m × n matrix, K = min(m, n). */
  readonly definition: string;
  /** What a high or a low value tells. */
  readonly reading: string;
  /** Paper and year; for conventions, where they are written down. */
  readonly source: string;
  /** null: not defined for this matrix, except for the condition number, where it means infinite. */
  readonly value: (measures: Measures) => number | null;
  readonly format: "integer" | "real" | "percent" | "scientific";
}

/** All measures in the order in which they are shown. */
export const MEASURE_INFO: readonly MeasureInfo[] = [
  {
    key: "effectiveRank", label: "Effective rank", short: "eff. rank", format: "real",
    definition: "exp(−Σ pᵢ ln pᵢ) with pᵢ = σᵢ / Σσ: the exponential of the entropy of the singular values.",
    reading: "Near K all directions carry about the same weight; far below K a few directions carry most of it, though small ones may still matter to the output.",
    source: "Roy & Vetterli, The effective rank: a measure of effective dimensionality, 2007",
    value: (m) => m.effectiveRank,
  },
  {
    key: "stableRank", label: "Stable rank", short: "stable", format: "real",
    definition: "Σσ² / σ₁²: the squared Frobenius norm over the squared spectral norm.",
    reading: "A low value says that the largest direction dominates the energy; it barely sees the small singular values, so it lies at or below most other ranks.",
    source: "Rudelson & Vershynin, Sampling from large matrices, 2007; used for layers in Cuttlefish, 2023",
    value: (m) => m.stableRank,
  },
  {
    key: "utilization", label: "Utilization", short: "util.", format: "percent",
    definition: "effective rank / K: the share of the available directions that is in use.",
    reading: "A low value marks a layer that is a candidate for factorization, not one that is proven to lose nothing; untrained noise scores high.",
    source: "Effective rank (Roy & Vetterli, 2007) relative to min(m, n)",
    value: (m) => m.utilization,
  },
  energyRank("0.9", "TRP trains convolutions with this threshold"),
  energyRank("0.95", "between the two others"),
  energyRank("0.99", "a cautious threshold"),
  {
    key: "numericalRank", label: "Numerical rank", short: "num. rank", format: "integer",
    definition: "The number of σᵢ > σ₁ · max(m, n) · ε, with ε the rounding unit of the type that the file stores; for types of 16 bits and fewer, of σᵢ > ε/2 · ‖W‖_F, the most that rounding can move a singular value.",
    reading: "Below K the matrix is singular as far as its stored digits can tell, so that factors of this rank lose nothing but rounding; the tolerance is a worst case.",
    source: "LAPACK convention; Golub & Van Loan, Matrix Computations, 2013, §5.4",
    value: (m) => m.numericalRank,
  },
  {
    key: "participationRatio", label: "Participation ratio", short: "part. ratio", format: "real",
    definition: "(Σσ²)² / Σσ⁴: how many equal energies would be as concentrated as these.",
    reading: "Low when few directions hold the energy; it follows the large singular values and hardly sees the tail.",
    source: "Gao et al., A theory of multineuronal dimensionality, dynamics and measurement, 2017",
    value: (m) => m.participationRatio,
  },
  {
    key: "conditionNumber", label: "Condition number", short: "cond.", format: "scientific",
    definition: "σ₁ / σ_K; infinite where σ_K does not exceed the tolerance of the numerical rank.",
    reading: "A high value says that some inputs are damped far more than others and that rounding or quantization hits the weak directions; it says nothing about how many there are.",
    source: "Golub & Van Loan, Matrix Computations, 2013, §2.6",
    value: (m) => m.conditionNumber,
  },
  {
    key: "hardThresholdRank", label: "Hard-threshold rank", short: "hard thr.", format: "integer",
    definition: "The number of σᵢ > ω(β) · median σ, with β = min(m, n) / max(m, n) and ω(β) ≈ 0.56β³ − 0.95β² + 1.82β + 1.43.",
    reading: "The best rank to keep if the matrix is low rank plus white noise of unknown level; on a heavy-tailed spectrum without a noise floor the number means little.",
    source: "Gavish & Donoho, The optimal hard threshold for singular values is 4/√3, 2014",
    value: (m) => m.hardThresholdRank,
  },
  {
    key: "evbmfRank", label: "EVBMF rank", short: "EVBMF", format: "integer",
    definition: "The number of σᵢ > √(M σ̂² x̄), M = max(m, n), with the noise variance σ̂² that minimises the free energy of empirical variational Bayesian matrix factorization.",
    reading: "The directions that stand out from noise by Bayesian model selection; 0 says that the matrix looks like white noise, not that it is useless.",
    source: "Nakajima et al., Global analytic solution of fully-observed variational Bayesian matrix factorization, 2013",
    value: (m) => m.evbmfRank,
  },
  {
    key: "spikes", label: "Marchenko–Pastur spikes", short: "MP spikes", format: "integer",
    definition: "The number of eigenvalues λ = σ² / max(m, n) above the upper edge λ₊ = s²(1 + √β)² of the Marchenko–Pastur law that fits the bulk best.",
    reading: "Directions that training (or a bad initialisation) put outside of a random bulk; no value where the spectrum has no such bulk, as in strongly trained layers.",
    source: "Marchenko & Pastur, 1967; Martin & Mahoney, Implicit self-regularization in deep neural networks, 2021",
    value: (m) => m.marchenkoPastur?.spikes ?? null,
  },
  {
    key: "softRank", label: "Marchenko–Pastur soft rank", short: "MP soft", format: "real",
    definition: "λ₊ / λ₁: the upper edge of the fitted Marchenko–Pastur bulk over the largest eigenvalue.",
    reading: "Near 1, or a little above for a small matrix, the layer is indistinguishable from random weights; near 0 its largest direction is far above the noise.",
    source: "Martin & Mahoney, Implicit self-regularization in deep neural networks, 2021",
    value: (m) => m.marchenkoPastur?.softRank ?? null,
  },
  {
    key: "powerLawAlpha", label: "Power-law exponent α", short: "α", format: "real",
    definition: "1 + n / Σ ln(λᵢ/λ_min) over the n eigenvalues λ = σ² from λ_min on, with the λ_min of the smallest Kolmogorov–Smirnov distance.",
    reading: "Its authors find values between about 2 and 4 in well-trained layers and larger ones in layers that learned little; with few eigenvalues it is uncertain.",
    source: "Clauset, Shalizi & Newman, Power-law distributions in empirical data, 2009; Martin, Peng & Mahoney (WeightWatcher), 2021",
    value: (m) => m.powerLawAlpha,
  },
  {
    key: "breakEvenRank", label: "Break-even rank", short: "break-even", format: "integer",
    definition: "⌊mn / (m + n)⌋, or the count of the decomposition's own scheme for a convolution: strictly below it the factors have fewer weights than the matrix.",
    reading: "A rank that you want to keep saves nothing unless it lies below this number.",
    source: "From the sizes of the factors, m·r + r·n < m·n",
    value: (m) => m.breakEvenRank,
  },
  {
    key: "spectralRadius", label: "Spectral radius", short: "ρ", format: "real",
    definition: "max |λᵢ| over the eigenvalues of a square recurrent matrix.",
    reading: "Below 1 a linear recurrence forgets and gradients through it vanish, above 1 they can explode; gates and nonlinearities soften both.",
    source: "Pascanu, Mikolov & Bengio, On the difficulty of training recurrent neural networks, 2013",
    value: (m) => m.spectralRadius,
  },
  {
    key: "spectralNorm", label: "Spectral norm", short: "‖W‖₂", format: "scientific",
    definition: "σ₁: the largest factor by which the matrix stretches an input.",
    reading: "The layer's Lipschitz constant, for a convolution only up to a factor that depends on its kernel; it scales with the weights and is comparable only between layers of like normalisation.",
    source: "Golub & Van Loan, Matrix Computations, 2013, §2.3",
    value: (m) => m.spectralNorm,
  },
  {
    key: "frobeniusNorm", label: "Frobenius norm", short: "‖W‖_F", format: "scientific",
    definition: "√Σσ² = √Σw²: the length of all weights as one vector.",
    reading: "The total size of the weights; weight decay lowers it without necessarily changing any rank.",
    source: "Golub & Van Loan, Matrix Computations, 2013, §2.3",
    value: (m) => m.frobeniusNorm,
  },
  {
    key: "nuclearNorm", label: "Nuclear norm", short: "‖W‖∗", format: "scientific",
    definition: "Σσ: the sum of the singular values, the tightest convex stand-in for the rank.",
    reading: "Low for its Frobenius norm when the matrix is close to low rank; training with it as a penalty promotes low rank.",
    source: "Fazel, Matrix rank minimization with applications, 2002",
    value: (m) => m.nuclearNorm,
  },
];

function energyRank(share: keyof Measures["energyRank"], remark: string): MeasureInfo {
  const percent = `${Math.round(Number(share) * 100)} %`;
  return {
    key: `energyRank${share}`, label: `Energy rank ${percent}`, short: `E ${percent}`, format: "integer",
    definition: `The smallest k with σ₁² + … + σ_k² ≥ ${share} · Σσ².`,
    reading: `Truncated to this rank the matrix keeps ${percent} of its energy (${remark}); the error in the model's output can be larger or smaller than that suggests.`,
    source: "Xu et al., TRP: Trained rank pruning for efficient deep neural networks, 2020",
    value: (m) => m.energyRank[share],
  };
}
