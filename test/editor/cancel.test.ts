import { describe, expect, it } from "vitest";
import { noise, writeModel } from "../engine/support/modelFiles";
import { journey } from "./support/journey";
import { descendants, halt } from "./support/processes";
import { allMeasured, waitForText } from "./support/reportPage";
import { writeLongModel } from "./support/workspace";

const MATRICES = 24;
/** Some seconds of work in all. */
const SIZE = 1600;
const FILE = "long.safetensors";

describe("a long analysis", () => {
  const window = journey("cancel", (folder) => writeLongModel(folder, FILE, MATRICES, SIZE));
  const count = (sentence: string): number => Number(/\d+/.exec(sentence)?.[0]);
  let kept = 0;

  it("is cancelled by the page's button, and keeps what it has measured", async () => {
    const report = await window().analyzeFromExplorer(FILE);
    await waitForText(report, /^[1-9]\d* of 24$/);
    halt(descendants(window().pid, "/dist/compute.js"));
    await window().shot("running");
    await report.getByRole("button", { name: "Cancel" }).click();
    kept = count(await waitForText(report, /^Cancelled: \d+ of 24 matrices are measured\.$/));
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(MATRICES);
    await window().shot("cancelled");
  });

  it("goes on from there when it is resumed", async () => {
    const report = window().report();
    await report.getByRole("button", { name: "Resume" }).click();
    await allMeasured(report);
    await window().shot("resumed");
    expect(window().log()).toContain(`computing ${MATRICES - kept} of ${MATRICES} matrices`);
  });

  it("computes nothing again after the window is reloaded", async () => {
    const before = window().log();
    await window().reload();
    await allMeasured(window().report());
    await window().shot("reloaded");
    expect(before).toContain(": computing ");
    expect(window().log().slice(before.length)).not.toContain(": computing ");
  });

  it("breaks no content security policy and logs no error", () => {
    expect(window().complaints).toEqual([]);
  });
});

describe("one matrix that takes long", () => {
  const LARGE = 6000;
  const small = ["a", "b", "c"];
  const window = journey("cancel-large", (folder) => {
    writeModel(folder, FILE, { large: noise(1, LARGE, LARGE), ...Object.fromEntries(small.map((name, i) => [name, noise(i + 2, 40, 40)])) });
  });
  const row = () => window().report().getByRole("row").filter({ has: window().report().getByRole("rowheader", { name: "large" }) });

  it("is cancelled in its middle, which ends the process that computes it, and keeps its first figures", async () => {
    const report = await window().analyzeFromExplorer(FILE);
    // Its full spectrum is begun when its first figures are there.
    await row().getByText(/^≈/).first().waitFor({ timeout: 120_000 });
    await report.getByRole("button", { name: "Cancel" }).click();
    await waitForText(report, /^Cancelled: [0-3] of 4 matrices are measured\.$/);
    await expect.poll(() => descendants(window().pid, "/dist/compute.js")).toEqual([]);
    expect(await row().getByText(/^≈/).count()).toBeGreaterThan(0);
    await window().shot("cancelled");
  });

  it("is computed when the analysis is resumed", async () => {
    await window().report().getByRole("button", { name: "Resume" }).click();
    await allMeasured(window().report());
    expect(await row().getByText(/^≈/).count()).toBe(0);
    await window().shot("resumed");
  });
});
