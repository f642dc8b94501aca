import { describe, expect, it, vi } from "vitest";
import { exactSolver } from "../../../../src/linalg/exactSolver";
import { FastSolver } from "../../../../src/linalg/fast/fastSolver";
import { copyOf, gaussianMatrix, matrixOfSpectrum } from "../../support/matrices";

vi.mock("../../../../src/linalg/fast/onnxRuntime", () => ({ loadOnnxRuntime: () => ({ reason: "ONNX Runtime does not load on beos-mips: no binary." }) }));

describe("where ONNX Runtime has no binary", () => {
  it("the fallback's spectra are given, and why is said once", async () => {
    const told: string[] = [];
    const solver = new FastSolver({ threads: 1, fallback: exactSolver, tell: (sentence) => told.push(sentence) });
    const matrix = gaussianMatrix(70, 90, 1);
    const expected = await exactSolver.singularValues(copyOf(matrix));
    expect(await solver.singularValues(copyOf(matrix))).toEqual(expected);
    expect(await solver.singularValues(copyOf(matrix))).toEqual(expected);
    expect(told).toEqual(["ONNX Runtime does not load on beos-mips: no binary. Spectra take longer without it; their values are the same."]);
    expect(solver.description).toBe("plain TypeScript");
  });

  it("triplets are the same, slower", () => {
    const solver = new FastSolver({ threads: 1, fallback: exactSolver });
    const values = [5, 3, 1, 0.1];
    solver.allTriplets(matrixOfSpectrum(50, 40, values)).values.slice(0, 4).forEach((value, i) => expect(value).toBeCloseTo(values[i]!, 13));
  });
});
