import { copyFileSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { describeWithModels, modelFiles, MODELS } from "../reference/models";
import { journey } from "./support/journey";
import { waitForText } from "./support/reportPage";
import { planned, wizardIn, written } from "./support/wizardPanel";

const files = modelFiles(/ultraface_slim-320_simplified\.onnx$/).slice(0, 1);
/** A measurement of a small model takes seconds; on a loaded machine minutes. */
const MEASURED_MS = 180_000;

interface PlanFile {
  readonly choice: string;
  readonly latency?: { readonly beforeMs: number; readonly budgetMs: number; readonly expectedMs: number };
  readonly layers: readonly { readonly scheme: string | null }[];
}

describeWithModels("a model that shall take less time", files, () => {
  const window = journey("wizard-latency", (folder) => files.forEach((file) => copyFileSync(join(MODELS, file), join(folder, basename(file)))));
  const name = basename(files[0] ?? "");
  const output = name.replace(/\.onnx$/, ".factorized.onnx");
  const plan = (): PlanFile => JSON.parse(readFileSync(join(window().place.folder, `${output}.plan.json`), "utf8")) as PlanFile;

  it("is measured when latency is chosen, which can be cancelled and leaves the budget as it was", async () => {
    const report = await window().analyzeFromExplorer(name);
    await waitForText(report, /^All \d+ matrices are measured\.$/);
    await window().factorizeFromExplorer(name);
    const wizard = await wizardIn(window().page);
    await planned(wizard);
    await wizard.getByRole("combobox", { name: "Unit" }).click();
    await wizard.getByRole("option", { name: "latency" }).click();
    await wizard.locator(".ready-bar").getByRole("button", { name: "Cancel" }).click();
    await expect.poll(() => wizard.locator(".ready-bar").count()).toBe(0);
    await planned(wizard);
    expect(await wizard.getByRole("spinbutton", { name: "Keep, in milliseconds" }).count()).toBe(0);
  });

  it("gets a plan along the curve of what was measured, and the written model is measured against its budget", async () => {
    const wizard = await wizardIn(window().page);
    await wizard.getByRole("combobox", { name: "Unit" }).click();
    await wizard.getByRole("option", { name: "latency" }).click();
    await window().shot("measuring");
    await wizard.getByText(/^Measured on this machine in ONNX Runtime: [\d.]+ ms, the median/).waitFor({ timeout: MEASURED_MS });
    // The least that is possible on any machine.
    await wizard.getByRole("slider", { name: "Size against error: arrows move the budget" }).focus();
    await window().page.keyboard.press("Home");
    await planned(wizard);
    await window().shot("measured");
    await wizard.getByRole("button", { name: "Write the model" }).click();
    await written(wizard, output);
    await wizard.locator(".run-card").getByText(/^Budget (not )?met: it takes [\d.]+ % of the original's latency/).waitFor({ timeout: MEASURED_MS });
    await wizard.getByRole("button", { name: "Open report" }).first().scrollIntoViewIfNeeded();
    await window().shot("written");
    const { choice, latency } = plan();
    expect(choice).toMatch(/^budget of [\d.]+ ms by least-total, scheme auto, measured on this machine$/);
    expect(latency!.expectedMs).toBeLessThanOrEqual(latency!.budgetMs * 1.001);
    expect(latency!.budgetMs).toBeLessThan(latency!.beforeMs);
  });

  it("has ALDS's channel groups once they are chosen", async () => {
    const wizard = await wizardIn(window().page);
    await wizard.getByRole("button", { name: "As ALDS" }).click();
    await expect.poll(() => wizard.locator(".ready-bar").count(), { timeout: MEASURED_MS }).toBe(0);
    await planned(wizard);
    await window().shot("alds");
    await expect.poll(() => wizard.locator(".layer-scheme").allInnerTexts()).toContainEqual(expect.stringMatching(/^(groups\d|channel)$/));
  });

  it("breaks no content security policy and logs no error", () => {
    expect(window().complaints).toEqual([]);
  });
});
