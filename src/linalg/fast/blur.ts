/**
 * Where float32 does not tell singular values apart. Rounding is a perturbation E with entries of about 5e-8·σ₁ in the
 * bases of the singular vectors: an isolated value moves by that, but c values that coincide move by up to ‖E‖ on
 * their subspace, 2√c times as much, and c zeros all become positive, which adds up in the nuclear norm.
 */

/** Values of one cluster lie within this part of σ₁ of each other: what float32 makes of equal ones. */
const WINDOW = 4e-6;
/** With fewer values a cluster moves by less than 4e-7·σ₁. */
const CLUSTER = 16;
/** Between these parts of σ₁ a value is rounding; below, it is an exact zero of rows or columns of zeros. */
const NOISE: readonly [number, number] = [1e-12, 1e-6];
/** Noise values add 5e-8·σ₁ each to the nuclear norm: at more than this many for each σ₁ of it, 1e-8 of the norm. */
const NOISE_SHARE = 0.25;

/**
 * Whether the values, largest first, of a float32 computation may be off by more than 5e-7 of the nuclear norm or 1e-6·σ₁.
 * @param lost values that the computation itself took for rounding and made zero
 */
export function float32Blurs(values: Float64Array, lost: number): boolean {
  const largest = values[0] ?? 0;
  let [nuclear, noise] = [0, lost];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]! / largest;
    nuclear += value;
    if (value > NOISE[0] && value < NOISE[1]) noise++;
    if (value >= NOISE[1] && i >= CLUSTER && values[i - CLUSTER]! / largest - value < WINDOW) return true;
  }
  return noise > NOISE_SHARE * nuclear;
}
