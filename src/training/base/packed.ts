import type { ModelConfig } from "./modelConfig";
import type { BaseModule } from "./modelModules";

/** Bits of a number that holds several weights. */
const WORD_BITS = 32;
const BITSANDBYTES_BITS = 4;
/** Layers that return to the hidden size; all other linear layers of a block start from it. */
const RETURNING = /(?:^|\.)(?:o_proj|down_proj|out_proj|c_proj|wo|w2|fc2|dense_4h_to_h)$/;

type Shapes = ReadonlyMap<string, readonly number[]>;
type Sizes = readonly [inFeatures: number, outFeatures: number];

/**
 * Linear layers whose weight a quantizer packed, with the sizes that the weight had: GPTQ's `qweight` (in·bits/32, out) and AWQ's
 * (in, out·bits/32) as AutoGPTQ and AutoAWQ write them, compressed-tensors' `weight_packed` (out, in·bits/32), bitsandbytes' 4 bits
 * (a list of bytes: one side is the hidden size).
 */
export function packedModules(shapes: Shapes, config: ModelConfig): BaseModule[] {
  const modules: BaseModule[] = [];
  for (const [name, shape] of shapes) {
    const end = name.lastIndexOf(".");
    const module = name.slice(0, end), sizes = sizesOf(module, name.slice(end + 1), shape, shapes, config);
    if (sizes === null) continue;
    const [inFeatures, outFeatures] = sizes;
    modules.push({ name: module, kind: "linear", inFeatures, outFeatures, kernel: [], groups: 1, parameters: inFeatures * outFeatures, bias: 0, tiedTo: [] });
  }
  return modules;
}

function sizesOf(module: string, own: string, shape: readonly number[], shapes: Shapes, { quantization, hiddenSize }: ModelConfig): Sizes | null {
  const [first, second] = shape;
  if (first === undefined || second === undefined || shape.length !== 2) return null;
  const perWord = WORD_BITS / (quantization?.bits ?? 4);
  if (own === "qweight") return quantization?.method === "awq" ? [first, second * perWord] : [first * perWord, second];
  if (own === "weight_packed") return [second * perWord, first];
  if (own === "weight" && second === 1 && shapes.has(`${module}.weight.absmax`)) {
    const count = first * (8 / BITSANDBYTES_BITS);
    if (hiddenSize === null || count % hiddenSize !== 0) return null;
    return RETURNING.test(module) ? [count / hiddenSize, hiddenSize] : [hiddenSize, count / hiddenSize];
  }
  return null;
}
