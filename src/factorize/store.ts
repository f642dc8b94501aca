/** Factors as a file stores them, in the type of the weight that they replace. */

/** Types that factors can be written in. */
export function isWritable(dtype: string): boolean {
  return Object.hasOwn(WRITERS, dtype);
}

/** Bytes of one number of a type that `isWritable`. */
export function bytesOfType(dtype: string): number {
  return encodeValues(dtype, new Float64Array(1)).length;
}

/**
 * Little-endian bytes of values, rounded once to the nearest number of the type.
 * @throws Error for a type that `isWritable` refuses
 */
export function encodeValues(dtype: string, values: Float64Array): Uint8Array {
  const writer = WRITERS[dtype];
  if (writer === undefined) throw new Error(`factors cannot be written as ${dtype}`);
  return writer(values);
}

const WRITERS: Readonly<Record<string, (values: Float64Array) => Uint8Array>> = {
  float64: (values) => new Uint8Array(values.slice().buffer),
  float32: (values) => new Uint8Array(new Float32Array(values).buffer),
  float16: (values) => new Uint8Array(Uint16Array.from(values, float16Bits).buffer),
  bfloat16: (values) => new Uint8Array(Uint16Array.from(values, bfloat16Bits).buffer),
};

const SCRATCH = new DataView(new ArrayBuffer(4));

function bfloat16Bits(value: number): number {
  SCRATCH.setFloat32(0, value);
  const bits = SCRATCH.getUint32(0);
  // To nearest, ties to even; a carry into the exponent is right.
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The step between neighbours below 2⁻¹⁴, and the largest number. */
const SUBNORMAL_STEP = 2 ** -24, LARGEST = 65504;

function float16Bits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= LARGEST + 16) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size || SUBNORMAL_STEP)));
  const step = 2 ** (exponent - 10);
  const count = nearestEven(size / step);
  // Below 2⁻¹⁴ the exponent field is 0 and the count the fraction; above, the leading 1 of the count adds one to the field.
  return sign | (size < 2 ** -14 ? count : ((exponent + 14) << 10) + count);
}

function nearestEven(value: number): number {
  const floor = Math.floor(value), rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
