import { E4M3FN, E4M3FNUZ, E5M2, E5M2FNUZ, FLOAT16, FLOAT4, POWERS_OF_TWO, smallFloatValues, type SmallFloat } from "./dtypes/smallFloats";
import { blockEpsilonOf } from "./dtypes/blockTypes";
import type { Values } from "./model";

/**
 * Types of stored numbers, by lower-case names: ONNX's own, without ambiguity ("float8_e4m3fn", not "fp8").
 * RankLens, as Node and VS Code, runs on little-endian machines: a typed array over the stored bytes is their values.
 */

/** `epsilon`: see `epsilonOf`. */
interface Dtype {
  readonly bits: number;
  readonly epsilon: number;
  readonly decode: (bytes: Uint8Array, count: number) => Values;
}

/** A dequantized integer is a float32: its steps are never finer than that type's. */
const FLOAT32_EPSILON = 2 ** -23;

const DTYPES: Readonly<Record<string, Dtype>> = {
  float64: { bits: 64, epsilon: 2 ** -52, decode: (bytes, count) => viewed(Float64Array, bytes, count) },
  float32: { bits: 32, epsilon: FLOAT32_EPSILON, decode: (bytes, count) => viewed(Float32Array, bytes, count) },
  float16: { bits: 16, epsilon: 2 ** -10, decode: (bytes, count) => looked(viewed(Uint16Array, bytes, count), smallFloatValues(FLOAT16)) },
  bfloat16: { bits: 16, epsilon: 2 ** -7, decode: bfloat16 },
  float8_e4m3fn: smallFloat(E4M3FN),
  float8_e4m3fnuz: smallFloat(E4M3FNUZ),
  float8_e5m2: smallFloat(E5M2),
  float8_e5m2fnuz: smallFloat(E5M2FNUZ),
  float8_e8m0: smallFloat(POWERS_OF_TWO),
  float4_e2m1: { bits: 4, epsilon: 2 ** -FLOAT4.mantissaBits, decode: (bytes, count) => looked(parts(4, bytes, count), smallFloatValues(FLOAT4)) },
  int8: integer(8, (bytes, count) => Float32Array.from(viewed(Int8Array, bytes, count))),
  uint8: integer(8, (bytes, count) => Float32Array.from(viewed(Uint8Array, bytes, count))),
  int16: integer(16, (bytes, count) => Float32Array.from(viewed(Int16Array, bytes, count))),
  uint16: integer(16, (bytes, count) => Float32Array.from(viewed(Uint16Array, bytes, count))),
  int32: integer(32, (bytes, count) => Float64Array.from(viewed(Int32Array, bytes, count))),
  uint32: integer(32, (bytes, count) => Float64Array.from(viewed(Uint32Array, bytes, count))),
  // Beyond 2⁵³ the nearest float64.
  int64: integer(64, (bytes, count) => Float64Array.from(viewed(BigInt64Array, bytes, count), Number)),
  uint64: integer(64, (bytes, count) => Float64Array.from(viewed(BigUint64Array, bytes, count), Number)),
  int4: integer(4, (bytes, count) => Float32Array.from(parts(4, bytes, count), (value) => (value > 7 ? value - 16 : value))),
  uint4: integer(4, (bytes, count) => Float32Array.from(parts(4, bytes, count))),
  int2: integer(2, (bytes, count) => Float32Array.from(parts(2, bytes, count), (value) => (value > 1 ? value - 4 : value))),
  uint2: integer(2, (bytes, count) => Float32Array.from(parts(2, bytes, count))),
  bool: { bits: 8, epsilon: 1, decode: (bytes, count) => Float32Array.from(viewed(Uint8Array, bytes, count), (value) => (value === 0 ? 0 : 1)) },
};

/**
 * The values of `count` stored numbers, exact (64-bit integers to the nearest float64). float32 and float64 are a
 * view on the bytes where these are aligned, a copy otherwise; types of up to 16 bits and their integers are float32,
 * which holds them exactly; wider integers are float64.
 * @param bytes little-endian, at least ⌈count · bits / 8⌉; 4-bit and 2-bit numbers share a byte, the first in its lowest bits
 * @throws Error for a name that is none of these types, or too few bytes: callers check both before
 */
export function decode(dtype: string, bytes: Uint8Array, count: number): Values {
  const type = typeOf(dtype);
  const needed = Math.ceil((count * type.bits) / 8);
  if (bytes.length < needed) throw new Error(`${count} numbers of ${dtype} take ${needed} bytes, not ${bytes.length}`);
  return type.decode(bytes, count);
}

/** Stored types whose values need more than a float32. */
const FLOAT64_VALUES: ReadonlySet<string> = new Set(["float64", "int32", "uint32", "int64", "uint64"]);

/** Whether values of a stored type are float64 in memory; others are float32. */
export function decodesToFloat64(dtype: string): boolean {
  return FLOAT64_VALUES.has(dtype);
}

/**
 * Relative rounding unit ε of a stored type: the distance from 1 to the next larger number, by which the numerical
 * rank judges small singular values. Integers that a scale makes weights of have a constant step instead: of b bits, the largest magnitude
 * is 2^(b−1) steps, so ε is one step relative to it, 2^−(b−1), for unsigned ones too, whose zero point lies
 * near the middle. No ε is below that of float32, in which the product with the scale is rounded.
 * @throws Error for a name that is none of these types
 */
export function epsilonOf(dtype: string): number {
  return blockEpsilonOf(dtype) ?? typeOf(dtype).epsilon;
}

function typeOf(dtype: string): Dtype {
  const type = Object.hasOwn(DTYPES, dtype) ? DTYPES[dtype] : undefined;
  if (type === undefined) throw new Error(`"${dtype}" is no type that RankLens decodes`);
  return type;
}

function integer(bits: number, decodeIntegers: Dtype["decode"]): Dtype {
  return { bits, epsilon: Math.max(2 ** -(bits - 1), FLOAT32_EPSILON), decode: decodeIntegers };
}

function smallFloat(format: SmallFloat): Dtype {
  return { bits: 8, epsilon: 2 ** -format.mantissaBits, decode: (bytes, count) => looked(bytes.subarray(0, count), smallFloatValues(format)) };
}

interface TypedArrayConstructor<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** `count` elements over the bytes themselves where these are aligned, over a copy otherwise. */
function viewed<T>(Type: TypedArrayConstructor<T>, bytes: Uint8Array, count: number): T {
  if (bytes.byteOffset % Type.BYTES_PER_ELEMENT === 0) return new Type(bytes.buffer, bytes.byteOffset, count);
  return new Type(bytes.slice(0, count * Type.BYTES_PER_ELEMENT).buffer, 0, count);
}

/** A bfloat16 is the upper half of a float32. */
function bfloat16(bytes: Uint8Array, count: number): Float32Array {
  const halves = viewed(Uint16Array, bytes, count);
  const out = new Uint32Array(count);
  for (let i = 0; i < count; i++) out[i] = halves[i]! << 16;
  return new Float32Array(out.buffer);
}

/** Each code's value by table; as bits, so that no conversion of a NaN changes it. */
function looked(codes: Uint8Array | Uint16Array, table: Float32Array): Float32Array {
  const bits = new Uint32Array(table.buffer);
  const out = new Uint32Array(codes.length);
  for (let i = 0; i < codes.length; i++) out[i] = bits[codes[i]!]!;
  return new Float32Array(out.buffer);
}

/** Numbers of 2 or 4 bits, several a byte, the first in its lowest bits (ONNX, IR.md, "int4"). */
function parts(bits: 2 | 4, bytes: Uint8Array, count: number): Uint8Array {
  const out = new Uint8Array(count);
  const perByte = 8 / bits, mask = 2 ** bits - 1;
  for (let i = 0; i < count; i++) out[i] = (bytes[Math.floor(i / perByte)]! >> ((i % perByte) * bits)) & mask;
  return out;
}
