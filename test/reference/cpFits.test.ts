import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cpScheme } from "../../src/factorize/schemes/cp";
import type { Target } from "../../src/factorize/target";
import { folder } from "../unit/support/folders";
import { npy } from "../unit/numpy/npyFile";
import { gaussians, product } from "../unit/factorize/support/runnable";

/** Fits of CP against least squares in NumPy, which takes the best of several random starts. */
const SCRIPT = join(import.meta.dirname, "cp_fits.py");
/** Both stop somewhere near an optimum, and neither need find the same. */
const AS_GOOD = 1.02;

describe("a fit of CP", () => {
  it.each<[string, readonly number[], number]>([["of noise", [20, 16, 3, 3], 0], ["of thirty components in noise", [20, 16, 3, 3], 30], ["of a kernel of one axis", [24, 18, 5], 12]])(
    "%s loses no more than NumPy's at any rank that is tried", async (_, shape, components) => {
      const values = Float32Array.from(weight(shape, components));
      const target: Target = { name: "conv.weight", kind: "conv", shape, dtype: "float32", form: { op: "conv", groups: 1 } };
      const [spectrum] = await cpScheme.fit!(target, values);
      const errors = tried(spectrum!);
      const path = join(folder(), "weight.npy");
      writeFileSync(path, npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`, new Uint8Array(values.buffer)));
      const expected = JSON.parse(execFileSync("/usr/bin/python3", [SCRIPT, path, ...[...errors.keys()].map(String)], { encoding: "utf8" })) as Record<string, number>;
      expect(errors.size).toBeGreaterThan(4);
      for (const [rank, error] of errors) expect(error).toBeLessThanOrEqual(AS_GOOD * expected[rank]!);
    },
  );
});

/** Components that get smaller one by one, and noise. */
function weight(shape: readonly number[], components: number): number[] {
  const noise = gaussians(product(shape), 7);
  const factors = shape.map((size, axis) => gaussians(size * components, 20 + axis));
  return noise.map((value, at) => {
    let sum = value;
    for (let r = 0; r < components; r++) {
      let rest = at, term = 4 * 0.9 ** r;
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        term *= factors[axis]![(rest % shape[axis]!) * components + r]!;
        rest = Math.floor(rest / shape[axis]!);
      }
      sum += term;
    }
    return sum;
  });
}

/** Parts of the squared norm that are left at the ranks where something is taken off. */
function tried(spectrum: Float64Array): Map<number, number> {
  const total = spectrum.reduce((sum, value) => sum + value ** 2, 0);
  let left = total;
  return new Map([...spectrum.subarray(0, -1)].flatMap((value, index) => {
    left -= value ** 2;
    return value > 0 ? [[index + 1, left / total] as const] : [];
  }));
}
