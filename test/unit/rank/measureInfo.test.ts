import { describe, expect, it } from "vitest";
import { exactSolver } from "../../../src/linalg/exactSolver";
import { measureMatrix } from "../../../src/rank/measure";
import { MEASURE_INFO } from "../../../src/shared/measureInfo";
import { gaussianMatrix } from "../support/matrices";

describe("what a person is told about the measures", () => {
  it("begins with the two that the extension is named for, and has each key once", () => {
    const keys = MEASURE_INFO.map(({ key }) => key);
    expect(keys.slice(0, 2)).toEqual(["effectiveRank", "stableRank"]);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("has a short head, one-sentence texts and a source for each", () => {
    for (const { short, definition, reading, source } of MEASURE_INFO) {
      expect(short.length).toBeLessThanOrEqual(12);
      for (const text of [definition, reading]) expect(text).toMatch(/^[^\s].*\.$/);
      expect(source.length).toBeGreaterThan(10);
    }
  });

  it("reads every number of a row, integers where it says so", async () => {
    const { measures } = await measureMatrix(exactSolver)(gaussianMatrix(24, 24, 4), { rows: 24, columns: 24, epsilon: 2 ** -23, recurrent: true, breakEvenRank: null });
    for (const { value, format } of MEASURE_INFO) {
      const number = value(measures);
      expect(number).toEqual(expect.any(Number));
      expect(Number.isInteger(number) || format !== "integer").toBe(true);
    }
    const shown = new Set(MEASURE_INFO.map(({ value }) => value(measures)));
    const { energyRank, marchenkoPastur, ...single } = measures;
    const numbers = [...Object.values(single), ...Object.values(energyRank), marchenkoPastur!.spikes, marchenkoPastur!.softRank];
    // ms is the time, not a measure.
    for (const number of numbers) if (typeof number === "number" && number !== measures.ms) expect(shown).toContain(number);
  });
});
