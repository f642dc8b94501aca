import { describe, expect, it } from "vitest";
import { keptLine, latencyLine } from "../../../src/cli/latencyBudget";
import type { PlanLatency } from "../../../src/factorize/plan";

const planned: PlanLatency = { beforeMs: 10, budgetMs: 8, budgetShare: 0.8, expectedMs: 7.9, unmeasured: [] };
const measured = (original: number, candidate: number) => ({ original: { medianMs: original, p90Ms: original }, candidate: { medianMs: candidate, p90Ms: candidate } });

describe("what the terminal says of a budget of latency", () => {
  it("is whether the written model takes that share of what the original takes beside it, not of what it took before", () => {
    expect(keptLine(planned, measured(20, 15.9))).toBe("Latency budget met: the written model takes 15.9 ms, the budget allows 16 ms.");
    expect(keptLine(planned, measured(5, 4.5))).toMatch(/^Latency budget NOT met: the written model takes 4\.5 ms, the budget allows 4 ms\./);
  });

  it("is whether it takes no more than so many milliseconds, where those were the budget", () => {
    expect(keptLine({ ...planned, budgetShare: null }, measured(20, 8.1))).toMatch(/NOT met: .*allows 8 ms/);
    expect(keptLine({ ...planned, budgetShare: null }, measured(5, 8))).toMatch(/budget met/);
  });

  it("counts the layers that could not be measured, and calls nothing faster", () => {
    const line = latencyLine({ ...planned, unmeasured: ["fc.weight", "conv.weight"] });
    expect(line).toBe("10 ms measured, 7.9 ms expected from layers measured alone, under a budget of 8 ms, without 2 layers that could not be measured alone");
  });
});
