import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { factorRank, readFactors } from "../../src/engine/factored";
import { spectrumSolver } from "../../src/engine/spectra";
import { epsilonOf } from "../../src/models/dtypes";
import { openModel } from "../../src/models/formats";
import { matrixSize } from "../../src/models/gather";
import { measureComposite } from "../../src/rank/measureComposite";
import { disagreements, type Reference } from "./disagreements";

/** Python writes files as each tool does, forms every change in full, and measures it; RankLens measures the factors. */
const solver = spectrumSolver(1, () => undefined);
const folder = mkdtempSync(join(tmpdir(), "ranklens-adapters-"));
const files = JSON.parse(
  execFileSync("/usr/bin/python3", [join(import.meta.dirname, "adapters.py"), folder], { encoding: "utf8", maxBuffer: 2 ** 26, env: { ...process.env, OPENBLAS_NUM_THREADS: "1" } }),
) as Record<string, Record<string, Reference>>;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(Object.entries(files))("%s", (file, expected) => {
  it("has one layer for each adapter, and nothing of it apart", async () => {
    const model = await openModel(join(folder, file), { smallestTensor: 1 });
    expect(model.layers.filter(({ kind }) => kind === "adapter").map(({ tensor }) => tensor.name).sort()).toEqual(Object.keys(expected).sort());
  });

  it.each(Object.entries(expected))("%s has the measures of the change formed in full", async (name, reference) => {
    const model = await openModel(join(folder, file), { smallestTensor: 1 });
    const layer = model.layers.find(({ tensor }) => tensor.name === name)!;
    const factored = layer.factored!;
    const { measures, singularValues } = await measureComposite(solver, await readFactors(model, factored), factored.scale, {
      ...matrixSize(layer.views[0]!), epsilon: epsilonOf(layer.tensor.dtype), recurrent: false, breakEvenRank: null,
    });
    expect(disagreements(measures, reference, 1e-9)).toEqual([]);
    expect(singularValues.length).toBe(reference.singularValues.length);
    expect(singularValues.length).toBe(factorRank(factored));
    const largest = Math.max(...reference.singularValues.map((value, i) => Math.abs(value - singularValues[i]!)));
    expect(largest).toBeLessThanOrEqual(1e-12 * reference.singularValues[0]!);
  });
});
