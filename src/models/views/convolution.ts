import type { MatrixView } from "../model";
import { axis, MOST_PARTS, product, view, type Made } from "./made";

/**
 * How a kernel lies in memory. Of each group: outputs, inputs and kernel positions with their strides, and the elements
 * from one group to the next.
 */
interface Kernel {
  readonly out: number;
  readonly outStride: number;
  readonly in: number;
  readonly inStride: number;
  /** Sizes of the kernel's own axes, which follow each other, and the elements from one position to the next. */
  readonly window: readonly number[];
  readonly windowStride: number;
  readonly groupStride: number;
}

/**
 * A convolution stores (out, in/groups, k…).
 * @returns null when it has no such axes
 */
export function convolutionViews(shape: readonly number[], groups: number): Made | null {
  const [out, inEach, ...window] = shape;
  if (out === undefined || inEach === undefined) return null;
  const positions = product(window);
  if (groups > 1 && inEach === 1 && groups <= out) return depthwise(out, window);
  const parts = partsOf(out, groups);
  return grouped(parts, groups, {
    out: out / parts, outStride: inEach * positions, in: inEach, inStride: positions, window, windowStride: 1, groupStride: (out / parts) * inEach * positions,
  });
}

/**
 * A convolution of TensorFlow's and Flax's order stores (k…, in/groups, out).
 * @returns null when it has no such axes
 */
export function channelsLastViews(shape: readonly number[], groups: number): Made | null {
  const [inEach, out] = shape.slice(-2);
  if (inEach === undefined || out === undefined) return null;
  const window = shape.slice(0, -2);
  const parts = partsOf(out, groups);
  return grouped(parts, groups, { out: out / parts, outStride: 1, in: inEach, inStride: out, window, windowStride: inEach * out, groupStride: out / parts });
}

/**
 * A convolution of TensorFlow Lite's order stores (out, k…, in/groups), a transposed one too.
 * @returns null when it has no such axes
 */
export function channelsAroundViews(shape: readonly number[], groups: number): Made | null {
  const out = shape[0], inEach = shape.at(-1);
  if (out === undefined || inEach === undefined || shape.length < 2) return null;
  const window = shape.slice(1, -1);
  const positions = product(window);
  const parts = partsOf(out, groups);
  return grouped(parts, groups, {
    out: out / parts, outStride: positions * inEach, in: inEach, inStride: 1, window, windowStride: inEach, groupStride: (out / parts) * positions * inEach,
  });
}

/**
 * TensorFlow's transposed convolution stores (k…, out, in).
 * @returns null when it has no such axes
 */
export function transposedChannelsLastViews(shape: readonly number[]): Made | null {
  const [out, inAll] = shape.slice(-2);
  if (out === undefined || inAll === undefined) return null;
  return grouped(1, 1, { out, outStride: inAll, in: inAll, inStride: 1, window: shape.slice(0, -2), windowStride: out * inAll, groupStride: 0 });
}

/**
 * TensorFlow's depthwise convolution stores (k…, in, multiplier): one kernel for each of in · multiplier outputs.
 * @returns null when it has no such axes
 */
export function depthwiseChannelsLastViews(shape: readonly number[]): Made | null {
  const [inAll, multiplier] = shape.slice(-2);
  if (inAll === undefined || multiplier === undefined) return null;
  const channels = inAll * multiplier;
  return depthwise(channels, shape.slice(0, -2), { channel: 1, window: channels });
}

/**
 * A transposed convolution stores (in, out/groups, k…).
 * @returns null when it has no such axes
 */
export function transposedConvolutionViews(shape: readonly number[], groups: number): Made | null {
  const [inAll, outEach, ...window] = shape;
  if (inAll === undefined || outEach === undefined) return null;
  const positions = product(window);
  if (groups > 1 && outEach === 1 && groups === inAll) return depthwise(inAll, window);
  const parts = partsOf(inAll, groups);
  return grouped(parts, groups, {
    out: outEach, outStride: positions, in: inAll / parts, inStride: outEach * positions, window, windowStride: 1, groupStride: (inAll / parts) * outEach * positions,
  });
}

/** Groups that divide the channels; one where they do not. */
function partsOf(channels: number, groups: number): number {
  return groups >= 1 && channels % groups === 0 && groups <= MOST_PARTS ? groups : 1;
}

function grouped(parts: number, groups: number, kernel: Kernel): Made {
  if (parts === 1) {
    const spatial = spatialView(kernel);
    const notes = groups === 1 ? [] : [`its ${groups} groups do not divide its channels: taken as one`];
    return { views: [channelView(kernel, null, 0), ...(spatial === null ? [] : [spatial])], notes };
  }
  const views = Array.from({ length: parts }, (_, group) => channelView(kernel, `group:${group}`, group * kernel.groupStride));
  return { views, notes: [`${parts} groups, a matrix each`] };
}

/** out × (in·k…). Factors: a convolution to r channels, then one of 1 × 1; r(in·k… + out) weights, as for any matrix. */
function channelView(kernel: Kernel, part: string | null, offset: number): MatrixView {
  const positions = product(kernel.window);
  return view([axis(kernel.out, kernel.outStride)], [axis(kernel.in, kernel.inStride), axis(positions, kernel.windowStride)], {
    part, offset, unfolding: "channel", input: "columns",
  });
}

/**
 * (in·kh) × (out·kw), of kernels of two axes. Factors: kh × 1 to r channels, then 1 × kw; r(in·kh + out·kw) weights, as for
 * any matrix (Jaderberg et al. 2014, scheme 2). A 1 × 1 kernel's is its channel unfolding, transposed: null.
 */
function spatialView(kernel: Kernel): MatrixView | null {
  const [height, width] = kernel.window;
  if (height === undefined || width === undefined || kernel.window.length !== 2 || height * width === 1) return null;
  return view(
    [axis(kernel.in, kernel.inStride), axis(height, width * kernel.windowStride)],
    [axis(kernel.out, kernel.outStride), axis(width, kernel.windowStride)],
    { unfolding: "spatial", input: "rows" },
  );
}

/** channels × (k…). No two factors of it are smaller layers: each channel has a kernel of its own, of k… weights. */
function depthwise(channels: number, window: readonly number[], stride = { channel: product(window), window: 1 }): Made {
  const positions = product(window);
  return {
    views: [view([axis(channels, stride.channel)], [axis(positions, stride.window)], { unfolding: "depthwise", input: "columns", breakEvenRank: 0 })],
    notes: ["depthwise: nothing to gain"],
  };
}
