/**
 * ε of the block types of GGUF: one step of the quantized values relative to their largest magnitude, as for plain
 * integers (`epsilonOf`). Types whose values are looked up count by their largest step.
 */
const STEPS: Readonly<Record<string, readonly [step: number, largest: number]>> = {
  q8_0: [1, 128], q8_1: [1, 128], q8_k: [1, 128], q6_k: [1, 32],
  q5_0: [1, 16], q5_1: [1, 16], q5_k: [1, 16],
  q4_0: [1, 8], q4_1: [1, 8], q4_k: [1, 8], iq4_nl: [24, 127], iq4_xs: [24, 127], mxfp4: [2, 6], nvfp4: [2, 6],
  q3_k: [1, 4], iq3_xxs: [10, 62], iq3_s: [2, 15],
  q2_k: [1, 2], q2_0: [1, 2], iq2_xxs: [18, 43], iq2_xs: [18, 43], iq2_s: [18, 43],
  iq1_s: [1, 1], iq1_m: [1, 1], tq1_0: [1, 1], tq2_0: [1, 1], q1_0: [1, 1],
};

/** @returns undefined for a name that is no block type */
export function blockEpsilonOf(dtype: string): number | undefined {
  const steps = Object.hasOwn(STEPS, dtype) ? STEPS[dtype] : undefined;
  return steps === undefined ? undefined : steps[0] / steps[1];
}
