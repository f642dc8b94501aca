import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Draft, DraftWish } from "../../src/shared/planning";
import { startBrowser, type OpenedPage, type PageBrowser } from "./support/browser";
import { inWizard } from "./support/wizard";

let browser: PageBrowser;
beforeAll(async () => {
  browser = await startBrowser("wizard");
});
afterAll(() => browser.close());

/** The form with its curve drawn. */
async function form(model: "wizard" | "weights" = "wizard"): Promise<OpenedPage> {
  const opened = await browser.open({ model, width: 320, height: 1400 });
  await opened.page.locator(".uplot canvas").waitFor();
  return opened;
}
async function drafts({ requests }: OpenedPage): Promise<Draft[]> {
  return (await requests("propose")).map((each) => (each as { draft: Draft }).draft);
}
async function chooseUnit(page: Page, text: string): Promise<void> {
  await page.getByRole("combobox", { name: "Unit" }).click();
  await page.getByRole("option", { name: text }).click();
}
/** In milliseconds, of the latest proposal under a budget of latency: presets' marks have other units. */
async function lastMs(opened: OpenedPage): Promise<number | undefined> {
  return (await drafts(opened)).flatMap(({ wish }) => (wish.kind === "budget" && wish.unit === "latency" ? [wish.amount] : [])).at(-1);
}
/** Of the curve that is drawn: presets' marks have wishes of their own. */
async function lastWish({ requests }: OpenedPage): Promise<DraftWish> {
  return ((await requests("curve")).at(-1) as { draft: Draft }).draft.wish;
}
const budgetPlot = (page: Page) => page.getByRole("slider", { name: "Size against error: arrows move the budget" });
const lockOf = async (opened: OpenedPage, name: string) => (await drafts(opened)).at(-1)?.locks[name];

describe("a choice that needs more than the analysis", () => {
  it("measures the latency when its unit is chosen, tells how far that is, and then goes on with the same share", async () => {
    const opened = await form();
    const { page, requests } = opened;
    await chooseUnit(page, "latency");
    await expect.poll(() => requests("ready")).toMatchObject([{ path: "/home/ada/models/net.onnx", draft: { scheme: "auto", wish: { unit: "latency" } } }]);
    await inWizard(opened, (host) => host.tellWork({ task: "latency", layer: "features.4.block.conv.weight", done: 12, total: 48 }), null);
    await page.getByText("Measuring on this machine: 12 of 48").waitFor();
    const bar = page.getByRole("progressbar", { name: "Progress of what the choice needs" });
    expect(await bar.getAttribute("aria-valuenow")).toBe("12");
    // The budget before stands, and so does its curve.
    expect(await lastWish(opened)).toMatchObject({ unit: "params" });
    await inWizard(opened, (host) => host.endReady(null), null);
    await expect.poll(async () => lastWish(opened)).toMatchObject({ unit: "latency" });
    expect(await bar.count()).toBe(0);
    expect(Number(await page.getByRole("spinbutton", { name: "Keep", exact: true }).inputValue())).toBeCloseTo(60, 0);
    expect(Number(await page.getByRole("spinbutton", { name: "Keep, in milliseconds" }).inputValue())).toBeCloseTo(7.5, 1);
    const estimates = page.locator(".estimates");
    await expect.poll(async () => (await estimates.innerText()).replace(/\s+/g, " ")).toMatch(/Latency 12\.5 ms → 7\.5\d? ms 60/i);
    const text = `${await estimates.innerText()} ${await page.locator(".latency-note").innerText()}`;
    expect(text).toMatch(/Measured on this machine in ONNX Runtime: 12\.5 ms, the median, with four of five of 30 runs between 12\.1 ms and 13\.4 ms\./);
    expect(text).toMatch(/1 layer does not run alone/);
    // Only a written model is called faster.
    expect(text).not.toMatch(/fast|quick/i);
    await page.close();
  });

  it("takes a budget in milliseconds, and moves it along the curve without rounding it to whole ones", async () => {
    const opened = await form();
    const { page } = opened;
    await chooseUnit(page, "latency");
    await inWizard(opened, (host) => host.endReady(null), null);
    const ms = page.getByRole("spinbutton", { name: "Keep, in milliseconds" });
    await ms.fill("6.25");
    await ms.press("Enter");
    await expect.poll(() => lastMs(opened)).toBe(6.25);
    expect(await page.getByRole("spinbutton", { name: "Keep", exact: true }).inputValue()).toBe("50");
    await budgetPlot(page).focus();
    await page.keyboard.press("ArrowRight");
    await expect.poll(async () => (await lastMs(opened))?.toFixed(6)).toBe("6.375000");
    await page.getByRole("button", { name: "Show features.4.block.conv.weight" }).click();
    await expect.poll(() => page.locator(".pane-figures").innerText()).toMatch(/1\.2 ms → [\d.]+ ms alone/);
    await page.close();
  });

  it("keeps a figure that is being typed while the page changes around it", async () => {
    const opened = await form();
    const { page } = opened;
    const share = page.getByRole("spinbutton", { name: "Keep", exact: true });
    await share.fill("42");
    await inWizard(opened, (host) => host.tellJob({ layer: "features.4", done: 2, total: 8 }), null);
    await expect.poll(() => page.getByRole("progressbar", { name: "Progress of the writing" }).getAttribute("aria-valuenow")).toBe("2");
    expect(await share.inputValue()).toBe("42");
    await share.press("Enter");
    expect(await share.inputValue()).toBe("42");
    await page.close();
  });

  it("offers no curve of the unit before, whose amounts would be of another", async () => {
    const opened = await form();
    const { page } = opened;
    await budgetPlot(page).waitFor();
    await inWizard(opened, (host) => host.withholdCurves(), null);
    await chooseUnit(page, "latency");
    await inWizard(opened, (host) => host.endReady(null), null);
    await page.getByRole("spinbutton", { name: "Keep, in milliseconds" }).waitFor();
    expect(await budgetPlot(page).count()).toBe(0);
    await page.close();
  });

  it("stays with the unit before when a measurement is cancelled or fails, and says why it failed", async () => {
    const opened = await form();
    const { page, requests } = opened;
    await chooseUnit(page, "latency");
    await page.locator(".ready-bar").getByRole("button", { name: "Cancel" }).click();
    await expect.poll(async () => (await requests("cancelReady")).length).toBe(1);
    expect(await page.locator(".ready-bar").count()).toBe(0);
    expect(await lastWish(opened)).toMatchObject({ unit: "params" });
    expect(await page.getByRole("combobox", { name: "Unit" }).evaluate((box) => (box as unknown as { value: string }).value)).toBe("params");
    await chooseUnit(page, "latency");
    await inWizard(opened, (host) => host.endReady({ code: "unsupported", message: "The latency of net.onnx cannot be measured.", next: "Give a budget in parameters." }), null);
    await page.getByRole("alert").filter({ hasText: "cannot be measured" }).waitFor();
    expect(await lastWish(opened)).toMatchObject({ unit: "params" });
    await page.close();
  });

  it("offers no latency where the format has no graph, and says why", async () => {
    const { page } = await form("weights");
    const unit = page.getByRole("combobox", { name: "Unit" });
    expect(await unit.getAttribute("title")).toBe("The latency cannot be measured. Its file holds no graph that could be run.");
    await unit.click();
    const option = page.getByRole("option", { name: "latency" });
    expect(await option.getAttribute("aria-disabled")).toBe("true");
    expect(await option.getAttribute("title")).toBe("The latency cannot be measured. Its file holds no graph that could be run.");
    await page.close();
  });

  it("finds the ranks of a scheme when it is chosen, and draws the curve when they are there", async () => {
    const opened = await form();
    const { page, requests } = opened;
    await page.getByRole("combobox", { name: "Scheme" }).click();
    await page.getByRole("option", { name: "CP", exact: true }).click();
    await expect.poll(() => requests("ready")).toMatchObject([{ draft: { scheme: "cp" } }]);
    await inWizard(opened, (host) => host.tellWork({ task: "ladders", layer: "features.3.block.conv.weight", done: 3, total: 9 }), null);
    await page.getByText("Finding the ranks: 3 of 9 layers").waitFor();
    expect((await drafts(opened)).every(({ scheme }) => scheme !== "cp")).toBe(true);
    await inWizard(opened, (host) => host.endReady(null), null);
    await expect.poll(async () => ((await requests("curve")).at(-1) as { draft: Draft }).draft.scheme).toBe("cp");
    // Fitted factors have no spectrum to cut: the ranks that were tried are chosen from.
    await page.getByRole("button", { name: "Show features.4.block.conv.weight" }).click();
    await page.locator(".layer-pane").getByRole("combobox", { name: "Scheme" }).click();
    await page.getByRole("option", { name: "cp", exact: true }).click();
    await page.getByRole("combobox", { name: "Fitted rank of features.4.block.conv.weight" }).click();
    await page.getByRole("option", { name: /^12 · error/ }).click();
    await expect.poll(() => lockOf(opened, "features.4.block.conv.weight")).toEqual({ scheme: "cp", ranks: [12] });
    await page.close();
  });

  it("makes a preset's scheme ready, and another choice made meanwhile counts", async () => {
    const opened = await form();
    const { page, requests } = opened;
    const alds = page.getByRole("button", { name: "As ALDS" });
    await alds.click();
    await expect.poll(() => alds.getAttribute("aria-pressed")).toBe("true");
    await page.getByRole("button", { name: "Small" }).click();
    await expect.poll(async () => (await requests("cancelReady")).length).toBe(1);
    expect(await alds.getAttribute("aria-pressed")).toBe("false");
    await alds.click();
    await expect.poll(async () => (await requests("ready")).length).toBe(2);
    await inWizard(opened, (host) => host.endReady(null), null);
    await expect.poll(async () => ((await requests("curve")).at(-1) as { draft: Draft }).draft).toMatchObject({ scheme: "alds", wish: { allocation: "minimax" } });
    await page.close();
  });

  it("measures what a remembered form needs when a person says so, not by itself", async () => {
    const opened = await form();
    const { page, requests } = opened;
    await chooseUnit(page, "latency");
    await inWizard(opened, (host) => host.endReady(null), null);
    await page.getByRole("spinbutton", { name: "Keep, in milliseconds" }).waitFor();
    await expect.poll(() => page.evaluate<string>("sessionStorage.getItem('state')")).toContain("latency");
    // Another window's engine has measured nothing.
    await page.reload();
    const measure = page.getByRole("button", { name: "Measure", exact: true });
    await measure.waitFor();
    expect(await requests("ready")).toEqual([]);
    expect(await page.getByRole("button", { name: "Write the model" }).isDisabled()).toBe(true);
    await measure.click();
    await expect.poll(async () => (await requests("ready")).length).toBe(1);
    await inWizard(opened, (host) => host.endReady(null), null);
    await page.locator(".uplot canvas").waitFor();
    expect(Number(await page.getByRole("spinbutton", { name: "Keep, in milliseconds" }).inputValue())).toBeCloseTo(7.5, 1);
    await page.close();
  });
});
