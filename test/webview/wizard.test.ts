import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseRanks } from "../../webview/wizard/figures";
import { memoryFrom } from "../../webview/wizard/state/memory";
import type { Draft, DraftWish } from "../../src/shared/planning";
import { startBrowser, type OpenedPage, type PageBrowser } from "./support/browser";
import { MARKUP_NAME } from "./support/names";
import { inWizard } from "./support/wizard";

let browser: PageBrowser;
beforeAll(async () => {
  browser = await startBrowser("wizard");
});
afterAll(() => browser.close());

/** The form with its curve drawn. */
async function form(model: "wizard" | "many" | "large" | "unrunnable" = "wizard"): Promise<OpenedPage> {
  const opened = await browser.open({ model, width: 320, height: 1400 });
  await opened.page.locator(".uplot canvas").waitFor();
  return opened;
}
async function lastDraft({ requests }: OpenedPage): Promise<Draft> {
  return ((await requests("propose")).at(-1) as { draft: Draft }).draft;
}
/** The latest draft that is not a preset's mark. */
async function drafts({ requests }: OpenedPage): Promise<Draft[]> {
  return (await requests("propose")).map((each) => (each as { draft: Draft }).draft);
}
async function chooseUnit(page: Page, text: string): Promise<void> {
  await page.getByRole("combobox", { name: "Unit" }).click();
  await page.getByRole("option", { name: text }).click();
}
/** Of the curve that is drawn: presets' marks have wishes of their own. */
async function lastWish({ requests }: OpenedPage): Promise<DraftWish> {
  return ((await requests("curve")).at(-1) as { draft: Draft }).draft.wish;
}
const budgetPlot = (page: Page) => page.getByRole("slider", { name: "Size against error: arrows move the budget" });
const lockOf = async (opened: OpenedPage, name: string) => (await lastDraft(opened)).locks[name];

describe("the wizard's form", () => {
  it("starts with a balanced budget, and all five sections in sight", async () => {
    const opened = await form();
    const { page, problems } = opened;
    for (const name of ["Layers", "Method", "Budget", "Check", "Apply"]) {
      expect(await page.getByRole("button", { name, exact: true }).first().getAttribute("aria-expanded")).toBe("true");
    }
    expect(await page.getByRole("button", { name: "Balanced" }).getAttribute("aria-pressed")).toBe("true");
    expect(await page.getByRole("spinbutton", { name: "Keep" }).inputValue()).toBe("60");
    expect(await page.locator(".estimates").innerText()).toMatch(/Estimated/);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("moves the budget by the arrow keys and by dragging along the curve", async () => {
    const opened = await form();
    const { page } = opened;
    await budgetPlot(page).focus();
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => budgetPlot(page).getAttribute("aria-valuenow")).toBe("59");
    await page.keyboard.press("Home");
    await expect.poll(() => page.getByRole("spinbutton", { name: "Keep" }).inputValue()).toBe("10");
    const box = (await page.locator(".drag-plot .u-over").last().boundingBox())!;
    await page.mouse.move(box.x + 5, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2, box.y + 30, { steps: 8 });
    await page.mouse.up();
    // The axis goes from a tenth of the model to the whole of it.
    await expect.poll(async () => Number(await page.getByRole("spinbutton", { name: "Keep" }).inputValue())).toBeGreaterThan(52);
    expect(Number(await page.getByRole("spinbutton", { name: "Keep" }).inputValue())).toBeLessThan(58);
    await page.close();
  });

  it("takes and leaves layers, of which some are off at first and some cannot be factorized", async () => {
    const opened = await form();
    const { page } = opened;
    expect(await page.getByRole("checkbox", { name: "Factorize features.0.weight" }).isChecked()).toBe(false);
    expect(await page.getByRole("checkbox", { name: "Factorize features.1.depthwise.weight" }).isDisabled()).toBe(true);
    await page.getByRole("checkbox", { name: "Factorize features.0.weight" }).check();
    await page.getByRole("checkbox", { name: "Factorize features.3.block.conv.weight" }).uncheck();
    await expect.poll(async () => lastDraft(opened)).toMatchObject({ included: ["features.0.weight"], excluded: ["features.3.block.conv.weight"] });
    await page.getByRole("button", { name: "None" }).click();
    await expect.poll(() => page.getByRole("button", { name: "Write the model" }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Defaults" }).click();
    await expect.poll(async () => lastDraft(opened)).toMatchObject({ included: [], excluded: [] });
    await page.close();
  });

  it("keeps a rank that is typed, whatever the budget, until it is let go", async () => {
    const opened = await form();
    const { page } = opened;
    const rank = page.getByRole("textbox", { name: "Rank of features.2.block.conv.weight" });
    await rank.fill("7");
    await rank.press("Enter");
    await expect.poll(() => lockOf(opened, "features.2.block.conv.weight")).toEqual({ scheme: "channel", ranks: [7] });
    await page.getByRole("button", { name: "Small" }).click();
    await expect.poll(() => rank.inputValue()).toBe("7");
    await rank.fill("no rank");
    await rank.press("Enter");
    expect(await rank.inputValue()).toBe("7");
    await page.getByRole("button", { name: "Let the budget choose the rank of features.2.block.conv.weight" }).click();
    await expect.poll(() => lockOf(opened, "features.2.block.conv.weight")).toBeUndefined();
    await page.close();
  });

  it("tries out a layer's rank along its spectrum, and sets it when the handle is dropped", async () => {
    const opened = await form();
    const { page } = opened;
    await page.getByRole("button", { name: "Show features.4.block.conv.weight" }).click();
    const cut = page.getByRole("slider", { name: /^Cut of the spectrum of features\.4/ });
    await cut.focus();
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => lockOf(opened, "features.4.block.conv.weight")).toEqual({ scheme: "channel", ranks: [19] });
    const box = (await cut.locator(".u-over").boundingBox())!;
    await page.mouse.move(box.x + 10, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width - 1, box.y + 20, { steps: 5 });
    expect(await page.locator(".pane-figures").innerText()).toMatch(/^Rank 40 /);
    expect(await lockOf(opened, "features.4.block.conv.weight")).toEqual({ scheme: "channel", ranks: [19] });
    await page.mouse.up();
    await expect.poll(() => lockOf(opened, "features.4.block.conv.weight")).toEqual({ scheme: "channel", ranks: [40] });
    await page.getByRole("button", { name: "Keep as it is" }).click();
    await expect.poll(() => lockOf(opened, "features.4.block.conv.weight")).toEqual({ scheme: null, ranks: [] });
    await page.getByRole("button", { name: "Back to the proposal" }).click();
    await expect.poll(() => lockOf(opened, "features.4.block.conv.weight")).toBeUndefined();
    await page.close();
  });

  it("is filtered, and goes through hundreds of layers by the arrow keys", async () => {
    const { page } = await form("many");
    await expect.poll(() => page.locator(".layer").count()).toBeLessThan(30);
    // The second layer's tick is disabled: there the focus goes to its name, and to ticks again after it.
    await page.getByRole("checkbox", { name: "Factorize features.0.weight" }).focus();
    for (let step = 0; step < 25; step++) await page.keyboard.press("ArrowDown");
    await expect.poll(() => page.evaluate<string>("document.activeElement.getAttribute('aria-label')")).toBe("Factorize features.25.block.conv.weight");
    await page.getByRole("searchbox", { name: "Filter layers" }).fill("features.399");
    await expect.poll(() => page.locator(".layer").count()).toBe(1);
    await page.close();
  });

  it("chooses rules and presets, and says what a rule's figure may be", async () => {
    const opened = await form();
    const { page } = opened;
    await page.getByRole("button", { name: "As TRP" }).click();
    await expect.poll(async () => (await drafts(opened)).at(-1)).toMatchObject({ scheme: "channel", wish: { kind: "rule", rule: "energy:0.98" } });
    const figure = page.getByRole("spinbutton", { name: "Share of energy" });
    await figure.fill("7");
    await figure.press("Enter");
    await expect.poll(async () => (await lastDraft(opened)).wish).toEqual({ kind: "rule", rule: "energy:0.999" });
    await page.close();
  });

  it("shows multiply-adds before and after once they are counted, and says what is not counted", async () => {
    const { page, requests } = await form();
    // 100 of them for each weight.
    await expect.poll(async () => (await page.locator(".estimates").innerText()).replace(/\s+/g, " ")).toMatch(/parameters 432 k → 262 k (\S+ %).*multiply-adds 43\.2 M → 26\.2 M \1.*one run on x \[1, 3, 224, 224\]\. 1 layer is not counted/i);
    expect(await requests("planning")).toMatchObject([{ as: "factored" }, { as: "factored", count: true }]);
    await page.close();
  });

  it("counts a large graph's multiply-adds when their unit is first chosen, and keeps the share", async () => {
    const opened = await form("large");
    const { page, requests } = opened;
    expect(await requests("planning")).toHaveLength(1);
    expect(await page.locator(".estimates").innerText()).not.toMatch(/multiply-adds/i);
    await chooseUnit(page, "multiply-adds");
    await expect.poll(async () => (await lastWish(opened))).toMatchObject({ unit: "macs" });
    await expect.poll(() => page.getByRole("spinbutton", { name: "Keep" }).inputValue()).toBe("60");
    expect(await requests("ready")).toMatchObject([{ draft: { scheme: "auto", wish: { unit: "macs" } } }]);
    await page.close();
  });

  it("says why multiply-adds are not known, and stays with the unit before", async () => {
    const opened = await form("unrunnable");
    const { page } = opened;
    await chooseUnit(page, "multiply-adds");
    await page.getByRole("alert").filter({ hasText: "multiply-adds of net.onnx are not known" }).waitFor();
    expect(await lastWish(opened)).toMatchObject({ unit: "params" });
    expect(await page.getByRole("spinbutton", { name: "Keep" }).inputValue()).toBe("60");
    await page.close();
  });

  it("says when a budget cannot be met, and offers the least that can", async () => {
    const opened = await form();
    const { page } = opened;
    await inWizard(opened, (host) => host.refuse({ code: "budget-impossible", message: "The budget of 9 k parameters cannot be met.", next: "Allow more." }), null);
    await page.getByRole("spinbutton", { name: "Keep" }).fill("2");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "cannot be met" }).waitFor();
    await inWizard(opened, (host) => host.refuse(null), null);
    await page.getByRole("button", { name: "Use the least possible" }).click();
    await expect.poll(() => page.getByRole("alert").count()).toBe(0);
    expect(await page.getByRole("spinbutton", { name: "Keep" }).inputValue()).toBe("10");
    await page.close();
  });

  it("is as it was when the page comes back", async () => {
    const opened = await form();
    const { page } = opened;
    await page.getByRole("button", { name: "Small" }).click();
    await page.getByRole("button", { name: "Choose file" }).click();
    await page.getByText("inputs.npz").first().waitFor();
    await page.getByRole("button", { name: "Method", exact: true }).click();
    await expect.poll(() => page.evaluate<string>("sessionStorage.getItem('state')")).toContain("inputs.npz");
    await page.reload();
    await page.locator(".uplot canvas").waitFor();
    expect(await page.getByRole("spinbutton", { name: "Keep" }).inputValue()).toBe("40");
    expect(await page.getByRole("button", { name: "Method", exact: true }).getAttribute("aria-expanded")).toBe("false");
    expect(await page.locator(".path").innerText()).toBe("inputs.npz");
    await page.close();
  });

  it("takes only the layers that the report was asked for", async () => {
    const opened = await form();
    const { page } = opened;
    await inWizard(opened, (host) => host.tellTarget({ only: ["classifier.weight"] }), null);
    await expect.poll(() => page.locator(".layers-section .section-aside").innerText()).toBe("1 of 11");
    await expect.poll(async () => (await lastDraft(opened)).included).toEqual(["classifier.weight"]);
    await page.close();
  });

  it("shows names as text, whatever they hold", async () => {
    const { page, problems } = await form();
    await page.getByRole("searchbox", { name: "Filter layers" }).fill("img");
    expect((await page.locator(".layer-name").innerText()).trim()).toBe(MARKUP_NAME);
    expect(problems).toEqual([]);
    await page.close();
  });
});

describe("writing", () => {
  it("sends the draft, the place and how to check; shows how far it is; and can be cancelled", async () => {
    const opened = await form();
    const { page, requests } = opened;
    await page.getByRole("button", { name: "Write the model" }).click();
    await expect.poll(() => requests("apply")).toMatchObject([{ path: "/home/ada/models/net.onnx", output: "/home/ada/models/net.factorized.onnx", check: { data: null }, draft: { scheme: "auto" } }]);
    await inWizard(opened, (host) => host.tellJob({ done: 2, total: 8, layer: "features.4" }), null);
    const bar = page.getByRole("progressbar", { name: "Progress of the writing" });
    await expect.poll(() => bar.getAttribute("aria-valuenow")).toBe("2");
    await page.getByRole("button", { name: "Cancel" }).click();
    await expect.poll(async () => (await requests("cancel")).length).toBe(1);
    await inWizard(opened, (host) => host.tellJob(null), null);
    await page.getByRole("button", { name: "Write the model" }).waitFor();
    await page.close();
  });

  it("goes where the person says", async () => {
    const opened = await form();
    const { page, requests } = opened;
    await page.getByRole("button", { name: "Choose …", exact: true }).click();
    await expect.poll(() => page.getByRole("textbox", { name: "Output" }).inputValue()).toBe("/home/ada/small/net.onnx");
    await page.getByRole("button", { name: "Write the model" }).click();
    await expect.poll(() => requests("apply")).toMatchObject([{ output: "/home/ada/small/net.onnx" }]);
    await page.close();
  });

  it("ends with a card of measured figures, from which everything else follows", async () => {
    const opened = await form();
    const { page, requests } = opened;
    await inWizard(opened, (host) => host.addRun({}), null);
    const card = page.locator(".run-card");
    const text = (await card.innerText()).replace(/\s+/g, " ");
    expect(text).toMatch(/Before After parameters 432 k 259 k 60\.0 %/i);
    // Never called faster unless it was measured faster.
    expect(text).toMatch(/1\.19 × slower/);
    expect(text).toMatch(/Compared on 4 batches of seeded random inputs.*relative error 0\.083.*same top entry 97\.5 %/i);
    for (const name of ["Open report", "Reveal file", "Copy path", "Undo", "Check again"]) await card.getByRole("button", { name }).click();
    await expect.poll(async () => (await Promise.all(["openReport", "reveal", "copy", "undo", "verify"].map(requests))).map(({ length }) => length)).toEqual([1, 1, 1, 1, 1]);
    await page.close();
  });

  it("says whether a budget of latency is kept by the model that was written", async () => {
    const opened = await form();
    const { page } = opened;
    await inWizard(opened, (host) => host.addRun({ latencyShare: 0.8 }), null);
    // 4.21 ms became 5.02 ms.
    await page.getByText("Budget not met: it takes 119.2 % of the original's latency, the budget allows 80.0 %.").waitFor();
    await page.close();
  });

  it("says what is wrong, and leaves the form as it is", async () => {
    const opened = await form();
    const { page } = opened;
    await inWizard(opened, (host) => host.tellJob(null, { fault: { code: "not-written", message: "There is no space left for net.factorized.onnx.", next: "Free some." } }), null);
    await page.getByRole("alert").filter({ hasText: "no space left" }).waitFor();
    await page.getByRole("button", { name: "Dismiss" }).click();
    await expect.poll(() => page.getByRole("alert").count()).toBe(0);
    await page.close();
  });
});

describe("the wizard without spectra", () => {
  it("offers the analysis, shows how far it is, and goes on by itself", async () => {
    const opened = await browser.open({ model: "unanalyzed", width: 320 });
    const { page, requests } = opened;
    await page.getByRole("button", { name: "Analyze" }).click();
    await expect.poll(async () => (await requests("analyze")).length).toBe(1);
    await inWizard(opened, (host) => host.tellProgress({ state: "running", done: 3 }), null);
    await expect.poll(() => page.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("3");
    await inWizard(opened, (host) => host.analyzed(), null);
    await page.locator(".uplot canvas").waitFor();
    await page.close();
  });
});

describe("pieces of the wizard", () => {
  it.each([["12", 1, [12]], ["12 × 7", 2, [12, 7]], ["12,7", 2, [12, 7]], ["12", 2, null], ["0", 1, null], ["1.5", 1, null], ["", 1, null], ["x", 1, null]] as const)("%j is %i ranks or none", (text, count, ranks) => {
    expect(parseRanks(text, count)).toEqual(ranks);
  });
  it.each([null, 7, "x", [], { path: 3, forms: 4, folded: "x" }, { forms: { a: { locks: { x: 7 }, wish: { kind: "budget" }, included: [1] } } }])("what another version remembered, as %j, does no harm", (saved) => {
    const { path, forms, folded } = memoryFrom(saved);
    expect(path === null || typeof path === "string").toBe(true);
    expect(Array.isArray(folded)).toBe(true);
    for (const each of Object.values(forms)) expect(each).toMatchObject({ wish: null, included: [], locks: {} });
  });
});
