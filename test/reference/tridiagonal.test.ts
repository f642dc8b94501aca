import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { Dqds } from "../../src/linalg/fast/dqds";
import { tridiagonalEigen } from "../../src/linalg/fast/divideAndConquer";
import { KernelModule } from "../../src/linalg/fast/kernels";
import { plainGemm } from "../../src/linalg/fast/plainGemm";
import { normal } from "../unit/support/matrices";

/** Diagonals and what is beside them: what is known to be hard for solvers of such matrices. */
const of = (n: number, diagonal: (i: number) => number, beside: (i: number) => number): [number[], number[]] => [
  Array.from({ length: n }, (_, i) => diagonal(i)),
  Array.from({ length: n - 1 }, (_, i) => beside(i)),
];
const random = normal(1);
const hard: Record<string, [number[], number[]]> = {
  "Wilkinson's W₂₁⁺, with pairs of nearly equal values": of(21, (i) => Math.abs(i - 10), () => 1),
  "Wilkinson's W₂₀₁⁺": of(201, (i) => Math.abs(i - 100), () => 1),
  "copies of Wilkinson's, glued by √ε (clusters)": of(189, (i) => Math.abs((i % 21) - 10), (i) => (i % 21 === 20 ? 1.5e-8 : 1)),
  "the second difference": of(150, () => 2, () => -1),
  "equal values": of(90, () => 3, () => 0),
  "equal values, barely coupled": of(90, () => 3, () => 1e-17),
  "zeros": of(80, () => 0, () => 0),
  "a zero diagonal": of(101, () => 0, () => 1),
  "graded down": of(120, (i) => 10 ** (-i / 6), (i) => 10 ** (-i / 6 - 1)),
  "graded up": of(120, (i) => 10 ** (i / 6 - 20), (i) => 10 ** (i / 6 - 21)),
  "two clusters": of(128, (i) => (i % 2 === 0 ? 1 : 1e-6), () => 1e-9),
  "random": of(170, random, random),
  "random, falling apart": of(170, random, (i) => (i % 13 === 5 ? 0 : random())),
  "one value": of(1, () => -7, () => 0),
  "entries of 1e150": of(70, (i) => 1e150 * (1 + i), () => 1e150),
  "entries of 1e-150": of(70, (i) => 1e-150 * (1 + i), () => 1e-150),
};
const names = Object.keys(hard);
let expected: { eigen: number[]; singular: number[] }[];

beforeAll(() => {
  const questions = names.flatMap((name) => ["eigen", "singular"].map((kind) => [...hard[name]!, kind]));
  const answers = JSON.parse(execFileSync("/usr/bin/python3", [join(import.meta.dirname, "tridiagonal_values.py")], { input: JSON.stringify(questions), encoding: "utf8", maxBuffer: 2 ** 26 })) as number[][];
  expected = names.map((_, i) => ({ eigen: answers[2 * i]!, singular: answers[2 * i + 1]! }));
});

const largest = (values: ArrayLike<number>): number => Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const difference = (found: ArrayLike<number>, wanted: readonly number[]): number => largest(wanted.map((value, i) => value - found[i]!));

describe("divide and conquer", () => {
  it.each(names)("has LAPACK's eigenvalues, and orthogonal vectors that fit them: %s", (name) => {
    const [diagonal, beside] = hard[name]!;
    const n = diagonal.length;
    const { values, vectors } = tridiagonalEigen(Float64Array.from(diagonal), Float64Array.from(beside), plainGemm);
    const wanted = expected[names.indexOf(name)]!.eigen;
    const scale = largest(wanted);
    const tolerance = 4 * n * Number.EPSILON;
    expect(values).toHaveLength(n);
    expect(difference(values, wanted)).toBeLessThanOrEqual(tolerance * scale);
    let [furthest, residual] = [0, 0];
    for (let i = 0; i < n; i++) {
      const v = vectors.subarray(i * n, (i + 1) * n);
      for (let j = 0; j <= i; j++) furthest = Math.max(furthest, Math.abs(v.reduce((sum, entry, k) => sum + entry * vectors[j * n + k]!, 0) - (i === j ? 1 : 0)));
      for (let k = 0; k < n; k++) {
        const product = diagonal[k]! * v[k]! + (k > 0 ? beside[k - 1]! * v[k - 1]! : 0) + (k < n - 1 ? beside[k]! * v[k + 1]! : 0);
        residual = Math.max(residual, Math.abs(product - values[i]! * v[k]!));
      }
    }
    expect(furthest).toBeLessThan(tolerance);
    expect(residual).toBeLessThanOrEqual(tolerance * scale);
  });

  it.each([NaN, Infinity])("refuses %s", (bad) => {
    expect(() => tridiagonalEigen(Float64Array.of(1, bad, 3), Float64Array.of(1, 1), plainGemm)).toThrow("not finite");
    expect(() => tridiagonalEigen(Float64Array.of(1, 2, 3), Float64Array.of(1, bad), plainGemm)).toThrow("not finite");
  });
});

/** No entry is so large that its square is far from one: `bidiagonalSingularValues` scales before. */
const squarable = names.filter((name) => !name.startsWith("entries of"));

describe("the bisection that dqds falls back to", () => {
  const module = new KernelModule();
  const valuesBy = (name: string, mostPasses: number): Float64Array => {
    const [diagonal, beside] = hard[name]!;
    const scale = largest([...diagonal, ...beside]) || 1;
    const q = Float64Array.from(diagonal, (value) => (value / scale) ** 2);
    const e = Float64Array.from(diagonal, (_, i) => ((beside[i] ?? 0) / scale) ** 2);
    return new Dqds({ q, e }, 100 * Number.EPSILON, module, mostPasses).eigenvalues().map((value) => Math.sqrt(value) * scale).sort();
  };

  it.each(squarable)("has LAPACK's singular values when it does all the work, as the shifts have: %s", (name) => {
    const wanted = expected[names.indexOf(name)]!.singular;
    const scale = largest(wanted);
    // Values are roots: what lies under √(least number) of the squares is zero.
    for (const mostPasses of [0, 100]) expect(difference(valuesBy(name, mostPasses), wanted)).toBeLessThanOrEqual(4 * wanted.length * Number.EPSILON * scale);
  });

  it.each([2, 30, 301])("keeps full relative accuracy down to the smallest value, order %i", (n) => {
    const ones = new Float64Array(n).fill(1);
    const found = new Dqds({ q: ones, e: ones }, 100 * Number.EPSILON, module, 0).eigenvalues().map(Math.sqrt).sort();
    // 2 cos(kπ/(2n + 1)) from the smallest on.
    found.forEach((value, i) => expect(Math.abs(value / (2 * Math.cos(((n - i) * Math.PI) / (2 * n + 1))) - 1)).toBeLessThan(n * 1e-15));
  });
});
