/** A floating-point format of 16 bits or fewer: sign, exponent, mantissa, from the highest bit. */
export interface SmallFloat {
  readonly signBits: 0 | 1;
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly bias: number;
  /**
   * What has no finite value. `ieee`: the highest exponent holds ∞ and NaN; `ones`: NaN where all bits but the
   * sign are ones, no ∞; `negativeZero`: NaN in place of −0 alone; `none`: all codes are numbers.
   */
  readonly special: "ieee" | "ones" | "negativeZero" | "none";
  /** Whether the lowest exponent holds 0 and denormal numbers. */
  readonly denormals: boolean;
}

const format = (signBits: 0 | 1, exponentBits: number, mantissaBits: number, bias: number, special: SmallFloat["special"], denormals = true): SmallFloat =>
  ({ signBits, exponentBits, mantissaBits, bias, special, denormals });

/** IEEE 754 binary16. */
export const FLOAT16 = format(1, 5, 10, 15, "ieee");
/** Micikevicius et al., FP8 Formats for Deep Learning, 2022, table 1. */
export const E4M3FN = format(1, 4, 3, 7, "ones");
export const E5M2 = format(1, 5, 2, 15, "ieee");
/** Noune et al., 8-bit Numerical Formats for Deep Neural Networks, 2022: one exponent more, no ∞, no −0. */
export const E4M3FNUZ = format(1, 4, 3, 8, "negativeZero");
export const E5M2FNUZ = format(1, 5, 2, 16, "negativeZero");
/** OCP Microscaling Formats 1.0, 2023: the scale E8M0 (2^(code − 127), NaN at 255) and the element E2M1. */
export const POWERS_OF_TWO = format(0, 8, 0, 127, "ones", false);
export const FLOAT4 = format(1, 2, 1, 1, "none");

const tables = new Map<SmallFloat, Float32Array>();

/** Every code's value, made at first use (256 KiB for 16 bits). */
export function smallFloatValues(small: SmallFloat): Float32Array {
  let table = tables.get(small);
  if (table === undefined) {
    const codes = 2 ** (small.signBits + small.exponentBits + small.mantissaBits);
    table = Float32Array.from({ length: codes }, (_, code) => valueOf(code, small));
    tables.set(small, table);
  }
  return table;
}

function valueOf(code: number, { signBits, exponentBits, mantissaBits, bias, special, denormals }: SmallFloat): number {
  const sign = signBits === 1 && code >= 2 ** (exponentBits + mantissaBits) ? -1 : 1;
  const magnitude = code % 2 ** (exponentBits + mantissaBits);
  const exponent = Math.floor(magnitude / 2 ** mantissaBits), mantissa = magnitude % 2 ** mantissaBits;
  const highest = 2 ** exponentBits - 1;
  if (special === "ieee" && exponent === highest) return mantissa === 0 ? sign * Infinity : NaN;
  if (special === "ones" && exponent === highest && mantissa === 2 ** mantissaBits - 1) return NaN;
  if (special === "negativeZero" && sign < 0 && magnitude === 0) return NaN;
  if (denormals && exponent === 0) return sign * mantissa * 2 ** (1 - bias - mantissaBits);
  return sign * (1 + mantissa / 2 ** mantissaBits) * 2 ** (exponent - bias);
}
