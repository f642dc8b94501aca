import * as ort from "onnxruntime-node";
import { bytes, file, float, graph, int, intAttribute, intsAttribute, model, node, tensor, text } from "../../onnx/onnxFile";
import { normal } from "../../support/matrices";

/** ValueInfo of a float tensor whose axes are open, but for the channels where these are given. */
export const value = (field: number, name: string, rank: number, channels?: number): Buffer =>
  bytes(field, text(1, name), bytes(2, bytes(1, int(1, 1), bytes(2, ...Array.from({ length: rank }, (_, axis) => bytes(1, axis === 1 && channels !== undefined ? int(1, channels) : text(2, `${name}${axis}`)))))));

export const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

export function gaussians(count: number, seed: number): number[] {
  const next = normal(seed);
  return Array.from({ length: count }, next);
}

export interface ConvolutionOptions {
  readonly opType: "Conv" | "ConvTranspose";
  /** Channels in and out, all groups together. */
  readonly channels: readonly [number, number];
  readonly kernel: readonly number[];
  readonly groups?: number;
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
  readonly pads?: readonly number[];
  readonly outputPadding?: readonly number[];
  readonly autoPad?: string;
  readonly bias?: boolean;
}

/** A model of one convolution, with random weights where none are given. */
export function convolutionModel({ opType, channels: [from, to], kernel, groups = 1, bias = false, ...options }: ConvolutionOptions, weight?: readonly number[]): { path: string; shape: number[] } {
  const shape = opType === "Conv" ? [to, from / groups, ...kernel] : [from, to / groups, ...kernel];
  const attributes = [
    intsAttribute("kernel_shape", kernel), intAttribute("group", groups),
    ...(options.strides ? [intsAttribute("strides", options.strides)] : []), ...(options.dilations ? [intsAttribute("dilations", options.dilations)] : []),
    ...(options.pads ? [intsAttribute("pads", options.pads)] : []), ...(options.outputPadding ? [intsAttribute("output_padding", options.outputPadding)] : []),
    ...(options.autoPad ? [Buffer.concat([text(1, "auto_pad"), text(4, options.autoPad), int(20, 3)])] : []),
  ];
  const body = Buffer.concat([
    graph({
      nodes: [node(opType, ["x", "conv.weight", ...(bias ? ["conv.bias"] : [])], ["y"], attributes, "conv")],
      initializers: [tensor("conv.weight", shape, weight ?? gaussians(product(shape), 3)), ...(bias ? [tensor("conv.bias", [to], gaussians(to, 4))] : [])],
    }),
    value(11, "x", kernel.length + 2, from), value(12, "y", kernel.length + 2),
  ]);
  return { path: file(model(body)), shape: [2, from, ...kernel.map((size) => 2 * size + 9)] };
}

/** A model of one Gemm. */
export function gemmModel(options: { readonly transA: boolean; readonly transB: boolean; readonly bias: boolean; readonly opset?: number }): { path: string; shape: number[] } {
  const shape = options.transB ? [10, 14] : [14, 10];
  const attributes = [
    Buffer.concat([text(1, "alpha"), float(2, 0.7), int(20, 1)]), Buffer.concat([text(1, "beta"), float(2, 1.3), int(20, 1)]),
    intAttribute("transA", Number(options.transA)), intAttribute("transB", Number(options.transB)),
  ];
  const body = Buffer.concat([
    graph({
      nodes: [node("Gemm", ["x", "fc.weight", ...(options.bias ? ["fc.bias"] : [])], ["y"], attributes, "fc")],
      initializers: [tensor("fc.weight", shape, gaussians(140, 3)), ...(options.bias ? [tensor("fc.bias", [10], gaussians(10, 4))] : [])],
    }),
    value(11, "x", 2), value(12, "y", 2),
  ]);
  return { path: file(model(body)), shape: options.transA ? [14, 3] : [3, 14] };
}

/** The output `y` of a model for a random input `x`. */
export async function run(path: string, shape: readonly number[]): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(path, { graphOptimizationLevel: "disabled" });
  const x = new ort.Tensor("float32", Float32Array.from(gaussians(product(shape), 9)), [...shape]);
  const results = await session.run(session.inputNames.includes("x") ? { x } : {});
  const output = results["y"];
  if (output === undefined) throw new Error("no output y");
  await session.release();
  return output.data as Float32Array;
}

/** ‖a − b‖ / ‖a‖ */
export function relativeDistance(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) return Infinity;
  let [difference, size] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    size += a[i]! ** 2;
  }
  return Math.sqrt(difference / size);
}
