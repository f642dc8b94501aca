import { copyFileSync, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeWithModels, modelFiles, MODELS } from "../reference/models";
import { journey } from "./support/journey";
import { descendants, halt } from "./support/processes";
import { waitForText } from "./support/reportPage";
import { planned, wizardIn, written } from "./support/wizardPanel";
import { writeLongModel } from "./support/workspace";

/** A network of convolutions, a transformer without a graph, and one of recurrent steps. */
const ENDINGS = [/ultraface_RFB-320\.onnx$/, /safetensors\/tinystories_656k\/model\.safetensors$/, /dtln_model_2\.onnx$/];
const files = ENDINGS.flatMap((ending) => modelFiles(ending).slice(0, 1));
const BUDGET = 0.6;

interface PlanFile {
  readonly source: { readonly parameters: number };
  readonly layers: readonly { readonly parametersBefore: number; readonly parametersAfter: number }[];
}

describeWithModels("from a right-click to a smaller model", files, () => {
  const window = journey("wizard", (folder) => files.forEach((file) => copyFileSync(join(MODELS, file), join(folder, basename(file)))));
  const at = (name: string): string => join(window().place.folder, name);

  it("is at hand", () => expect(files).toHaveLength(ENDINGS.length));

  it.each(files)("%s: analyze, propose 60 percent of the parameters, write, check, open the new report", async (file) => {
    const name = basename(file);
    const output = name.replace(/\.(\w+)$/, ".factorized.$1");
    const before = statSync(at(name));
    const report = await window().analyzeFromExplorer(name);
    await waitForText(report, /^All \d+ matrices are measured\.$/);
    await window().factorizeFromExplorer(name);
    const wizard = await wizardIn(window().page);
    await planned(wizard);
    await wizard.getByRole("button", { name: "Balanced" }).click();
    await window().shot(`${name}-form`);
    await wizard.getByRole("button", { name: "Write the model" }).click();
    await written(wizard, output);
    await wizard.locator(".check-figures").waitFor();
    await wizard.getByRole("button", { name: "Open report" }).first().scrollIntoViewIfNeeded();
    await window().shot(`${name}-written`);

    const plan = JSON.parse(readFileSync(at(`${output}.plan.json`), "utf8")) as PlanFile;
    const after = plan.layers.reduce((sum, layer) => sum + layer.parametersAfter - layer.parametersBefore, plan.source.parameters);
    expect(after).toBeLessThanOrEqual(BUDGET * plan.source.parameters);
    expect(statSync(at(output)).size).toBeLessThan(0.8 * before.size);
    expect(statSync(at(name)).mtimeMs).toBe(before.mtimeMs);

    await wizard.locator(".run-card").getByRole("button", { name: "Open report" }).click();
    await window().page.getByRole("tab", { name: new RegExp(output.replaceAll(".", "\\.")) }).waitFor();
    await window().report().getByRole("button", { name: "Analyze" }).click();
    await waitForText(window().report(), /^All \d+ matrices are measured\.$/);
    await window().shot(`${name}-new-report`);
    await window().page.keyboard.press("Control+K");
    await window().page.keyboard.press("Control+W");
  });

  it("remembers its runs after the window is reloaded, and deletes what one wrote, after asking", async () => {
    const name = basename(files.at(-1)!);
    const output = name.replace(/\.(\w+)$/, ".factorized.$1");
    await window().reload();
    const wizard = await wizardIn(window().page);
    await planned(wizard);
    await written(wizard, output);
    await wizard.locator(".run-card").getByRole("button", { name: "Undo" }).click();
    await window().page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await expect.poll(() => [output, `${output}.plan.json`].filter((file) => existsSync(at(file)))).toEqual([]);
    expect(existsSync(at(name))).toBe(true);
  });

  it("breaks no content security policy and logs no error", () => {
    expect(window().complaints).toEqual([]);
  });
});

describe("a model that is being written", () => {
  const FILE = "long.safetensors";
  const window = journey("wizard-cancel", (folder) => writeLongModel(folder, FILE, 6, 900));

  it("leaves nothing behind when it is cancelled", async () => {
    const report = await window().analyzeFromExplorer(FILE);
    await waitForText(report, /^All \d+ matrices are measured\.$/);
    await window().factorizeFromExplorer(FILE);
    const wizard = await wizardIn(window().page);
    await planned(wizard);
    const names = readdirSync(window().place.folder);
    await wizard.getByRole("button", { name: "Write the model" }).click();
    await wizard.getByText(/^Factorizing \d of \d/).waitFor();
    const goOn = halt(descendants(window().pid, "/dist/apply.js"));
    await window().shot("writing");
    await wizard.locator(".job").getByRole("button", { name: "Cancel" }).click();
    await expect.poll(() => wizard.locator(".job").count()).toBe(0);
    goOn();
    // The page is free at once; the files go when the process that wrote them has ended.
    await expect.poll(() => readdirSync(window().place.folder), { timeout: 30_000 }).toEqual(names);
    await expect.poll(() => descendants(window().pid, "/dist/apply.js"), { timeout: 30_000 }).toEqual([]);
    await wizard.getByRole("button", { name: "Write the model" }).waitFor();
  });

  it("breaks no content security policy and logs no error", () => {
    expect(window().complaints).toEqual([]);
  });
});
