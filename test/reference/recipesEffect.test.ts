import { join } from "node:path";
import { beforeAll, afterAll, describe, expect, it } from "vitest";
import { mean, measureEffect, type Effect } from "../bench/recipesEffect";
import { buildPrograms, type Programs } from "../engine/support/programs";
import { folder } from "../unit/support/folders";

/** The published effect of TRP, on the real 8×8 digits; docs/recipes.md has more seeds and longer training. */
const SEEDS = [0, 1, 2];
const EPOCHS = 30;
/** Of the test images: 719 of them, so five of one network differ by 0.7. */
const POINT = 1;

let programs: Programs;
let effects: Effect[];
beforeAll(async () => {
  programs = await buildPrograms();
  effects = await measureEffect(programs.cli, join(import.meta.dirname, "../bench/recipes_digits.py"), folder(), EPOCHS, SEEDS);
}, 180_000);
afterAll(() => programs.remove());

const average = (of: (effect: Effect) => number): number => mean(effects.map(of));

describe("a network trained with TRP, factorized by RankLens", () => {
  it("loses nothing to speak of, at the energy that it was trained for, and is less than half as large as one trained plainly", () => {
    expect(average(({ trained, trainedAtEnergy }) => trained.accuracy - trainedAtEnergy.accuracy)).toBeLessThan(0.1);
    for (const { trainedAtEnergy, plainAtEnergy } of effects) expect(trainedAtEnergy.parameters).toBeLessThan(plainAtEnergy.parameters / 2);
  });

  it("loses less than one trained plainly that is cut to its size", () => {
    for (const { plainAtSize, trainedAtEnergy } of effects) expect(plainAtSize.parameters).toBeLessThanOrEqual(trainedAtEnergy.parameters);
    const lostByTrained = average(({ trained, trainedAtEnergy }) => trained.accuracy - trainedAtEnergy.accuracy);
    const lostByPlain = average(({ plain, plainAtSize }) => plain.accuracy - plainAtSize.accuracy);
    expect(lostByPlain).toBeGreaterThan(lostByTrained + 3 * POINT);
    expect(average(({ trainedAtEnergy }) => trainedAtEnergy.accuracy)).toBeGreaterThan(average(({ plainAtSize }) => plainAtSize.accuracy) + POINT);
  });

  it("is nearly as good as one trained plainly", () => {
    expect(average(({ plain, trained }) => plain.accuracy - trained.accuracy)).toBeLessThan(2.5 * POINT);
  });
});
