import { describe, expect, it } from "vitest";
import { Comparison } from "../../../src/verify/compare";

describe("outputs that are scores", () => {
  it("are compared by class: of the original's, most samples first", () => {
    const comparison = new Comparison();
    // The original says 0, 0, 0, 2; the candidate 0, 1, 0, 2.
    comparison.add("y", [4, 3], [9, 1, 0, 9, 1, 0, 9, 1, 0, 0, 1, 9], [9, 1, 0, 1, 9, 0, 9, 1, 0, 0, 1, 9]);
    const [output] = comparison.outputs;
    expect(output!.topOneAgreement).toBe(0.75);
    expect(output!.byClass).toEqual([{ index: 0, samples: 3, agreement: 2 / 3 }, { index: 2, samples: 1, agreement: 1 }]);
  });

  it("over batches are counted together", () => {
    const comparison = new Comparison();
    for (let batch = 0; batch < 3; batch++) comparison.add("y", [1, 2], [1, 0], batch === 0 ? [0, 1] : [1, 0]);
    expect(comparison.outputs[0]!.byClass).toEqual([{ index: 0, samples: 3, agreement: 2 / 3 }]);
  });

  it("of a vocabulary, or that are no scores, have no classes", () => {
    const comparison = new Comparison();
    const words = Array.from({ length: 2000 }, (_, index) => index);
    comparison.add("words", [1, 2000], words, words);
    comparison.add("image", [5], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]);
    expect(comparison.outputs.map(({ byClass }) => byClass)).toEqual([null, null]);
  });
});
