import { axisBases, fitComponents, type Components, type Fitted } from "../../linalg/canonicalPolyadic";
import { seededRandom } from "../../linalg/seededRandom";
import { exactSvd } from "../../linalg/svd";
import type { Scheme, Step } from "../scheme";
import { product, type Target } from "../target";
import { groupsOf, kernelsOf, packedShape, pointwise, refuseOthers, swapped } from "./kernels";

/** Weights of one group above which least squares would take many minutes. */
const MOST_WEIGHTS = 1 << 17;
/**
 * Shares of break-even at which a layer is fitted, beside rank 1: at one of them the factors have about that share of the
 * layer's weights. Each takes seconds, and no error is told that was not measured: so they are few. Above the last, factors
 * that are run one after another gain nothing.
 */
const TRIED_SHARES = [1 / 16, 1 / 8, 1 / 4, 3 / 8, 1 / 2, 2 / 3];

/**
 * Canonical polyadic: 1 × 1 to r channels, one kernel of a single axis on each of these for every axis, 1 × 1 to the
 * outputs, by alternating least squares. What concerns an axis stays with its own step. There is no spectrum that tells
 * the errors, so layers are fitted at a few ranks, the same way each time.
 */
export const cpScheme: Scheme = {
  id: "cp",
  label: "CP",
  source: "Lebedev et al., 2015; Harshman, 1970",
  bound: "frobenius",
  refusal(target) {
    const other = refuseOthers(target);
    if (other !== null) return other;
    const { kernel, out, in: inEach, positions } = kernelsOf(target);
    if (kernel.every((size) => size === 1)) return "a 1 × 1 kernel is a matrix, which the channel scheme factorizes";
    return out * inEach * positions > MOST_WEIGHTS ? "it is too large for least squares: cp takes at most 131,072 weights of a group" : null;
  },
  fullRanks(target) {
    const sizes = axesOf(target).sizes;
    return [product(sizes) / Math.max(...sizes)];
  },
  unfoldings: () => [],
  async fit(target, values) {
    const { sizes } = axesOf(target);
    const full = cpScheme.fullRanks(target)[0]!;
    const ranks = triedRanks(target);
    return Promise.all(groupsOf(kernelsOf(target), values).map(async (group) => asSpectrum(await fitAll(group, sizes, ranks), group, full)));
  },
  steps,
  async factor(target, values, [rank = 1]) {
    const kernels = kernelsOf(target);
    const { sizes } = axesOf(target);
    const ranks = [...triedRanks(target).filter((tried) => tried < rank), rank];
    const fits = await Promise.all(groupsOf(kernels, values).map(async (group) => balanced((await fitAll(group, sizes, ranks)).at(-1)!, sizes)));
    const all = steps(target, [rank]);
    return all.map((step, index) => {
      // Axes of the components: outputs, inputs, then those of the kernel.
      const axis = index === 0 ? 1 : index === all.length - 1 ? 0 : index + 1;
      const own = fits.map(({ factors }) => (axis === 0 ? factors[0]! : swapped(factors[axis]!, sizes[axis]!, rank, 1)));
      return { ...step, values: Float64Array.from(own.flatMap((part) => [...part])) };
    });
  },
};

function steps(target: Target, [rank = 0]: readonly number[]): Step[] {
  const { form: { op }, groups, out, in: inEach, kernel } = kernelsOf(target);
  const { long } = axesOf(target);
  return [
    pointwise("first", groups, rank, inEach, kernel),
    ...long.map((own, index): Step => {
      // Axes along which the kernel is 1 have a stride and padding all the same.
      const axes = kernel.map((size, axis) => axis === own || (index === 0 && size === 1));
      return { role: `axis${own}`, op, groups: groups * rank, shape: packedShape(op, groups * rank, 1, 1, kernel.map((size, axis) => (axis === own ? size : 1))), axes };
    }),
    pointwise("last", groups, out, rank, kernel),
  ];
}

/** Axes of the kernel that are longer than 1, and the sizes of one group's tensor: outputs, inputs, and these. */
function axesOf(target: Target): { readonly long: readonly number[]; readonly sizes: readonly number[] } {
  const { out, in: inEach, kernel } = kernelsOf(target);
  const long = kernel.flatMap((size, axis) => (size > 1 ? [axis] : []));
  return { long, sizes: [out, inEach, ...long.map((axis) => kernel[axis]!)] };
}

/** Rank 1, and the ranks at some shares of break-even. */
function triedRanks(target: Target): number[] {
  const { sizes } = axesOf(target);
  const most = Math.min(cpScheme.fullRanks(target)[0]!, product(sizes) / sizes.reduce((sum, size) => sum + size, 0));
  return [...new Set([1, ...TRIED_SHARES.map((share) => Math.max(1, Math.floor(share * most)))])];
}

/**
 * One fit for each rank. Errors fall: each starts, among others, from what the rank before has. The other starts are the
 * bases of HOSVD, which are best at low ranks, and random numbers.
 */
async function fitAll(values: Float64Array, sizes: readonly number[], ranks: readonly number[]): Promise<Fitted[]> {
  const bases = await axisBases(values, sizes, exactSvd);
  const fits: Fitted[] = [];
  for (const rank of ranks) {
    const random = randomComponents(sizes, rank, rank);
    const before = fits.at(-1);
    fits.push(fitComponents(values, sizes, [...(before === undefined ? [] : [continued(before, random)]), spanned(bases, random), random]));
  }
  return fits;
}

/** Along each axis the vectors of its basis, as far as they go, and random ones. */
function spanned(bases: readonly Float64Array[], { rank, factors }: Components): Components {
  return {
    rank, factors: factors.map((factor, axis) => {
      const basis = bases[axis]!, directions = (basis.length * rank) / factor.length;
      return factor.map((value, at) => (at % rank < directions ? basis[Math.floor(at / rank) * directions + (at % rank)]! : value));
    }),
  };
}

/** The components that there are, and random ones that count nothing until their outputs are fitted. */
function continued(before: Fitted, random: Components): Components {
  const { rank } = random;
  const factors = random.factors.map((factor, axis) => factor.map((value, at) => {
    const row = Math.floor(at / rank), component = at % rank;
    if (component < before.rank) return before.factors[axis]![row * before.rank + component]!;
    return axis === 0 ? 0 : value;
  }));
  return { rank, factors };
}

function randomComponents(sizes: readonly number[], rank: number, seed: number): Components {
  const next = seededRandom(seed);
  return { rank, factors: sizes.map((size) => Float64Array.from({ length: size * rank }, next)) };
}

/** Each component equally large along all axes, so that no factor loses more than another when stored. */
function balanced({ rank, factors }: Components, sizes: readonly number[]): Components {
  const norms = factors.map((factor) => {
    const squares = new Float64Array(rank);
    factor.forEach((value, at) => (squares[at % rank]! += value * value));
    return squares.map(Math.sqrt);
  });
  const even = Float64Array.from({ length: rank }, (_, r) => norms.reduce((all, norm) => all * norm[r]!, 1) ** (1 / sizes.length));
  return { rank, factors: factors.map((factor, axis) => factor.map((value, at) => (even[at % rank] === 0 ? 0 : (value * even[at % rank]!) / norms[axis]![at % rank]!))) };
}

/** The errors of the fits as singular values would tell them. */
function asSpectrum(fits: readonly Fitted[], values: Float64Array, full: number): Float64Array {
  const spectrum = new Float64Array(full + 1);
  let before = values.reduce((sum, value) => sum + value * value, 0);
  for (const { rank, error2 } of fits) {
    spectrum[rank - 1] = Math.sqrt(Math.max(0, before - error2));
    before = error2;
  }
  // What no rank that was tried takes off.
  spectrum[full] = Math.sqrt(before);
  return spectrum;
}
