import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessibilityFaults } from "./support/accessibility";
import { startBrowser, type PageBrowser } from "./support/browser";
import { inWizard } from "./support/wizard";

const THEMES = ["dark", "light", "highContrast", "highContrastLight"] as const;
/** A side bar as it is at first, and one that was drawn wide. */
const WIDTHS = [300, 720] as const;
const pictures = join(import.meta.dirname, "..", "..", "test-results", "webview");

let browser: PageBrowser;
beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  browser = await startBrowser("wizard");
});
afterAll(() => browser.close());

describe.each(THEMES)("the wizard in the %s theme", (theme) => {
  it.each(WIDTHS)("at %i pixels breaks no rule of accessibility and not the policy", async (width) => {
    const opened = await browser.open({ theme, model: "wizard", width, height: 1900 });
    const { page, problems } = opened;
    await inWizard(opened, (host) => host.addRun({}), null);
    await page.getByRole("button", { name: /^Show features\.3/ }).click();
    await expect.poll(() => page.locator(".uplot canvas").count()).toBe(2);
    await page.getByRole("button", { name: "History" }).click();
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(pictures, `wizard-${theme}-${width}.png`), fullPage: true });
    expect(await page.evaluate(() => document.documentElement.scrollWidth), "nothing is wider than the page").toBe(width);
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });
});

describe("the wizard on its way", () => {
  it.each(["dark", "light"])("without a model, before the analysis, and while it writes, in the %s theme", async (theme) => {
    const opened = await browser.open({ theme, model: "unanalyzed", width: 300, height: 700 });
    const { page, problems } = opened;
    await page.getByText("are not measured yet").waitFor();
    await inWizard(opened, (host) => host.tellProgress({ state: "running", done: 5, etaMs: 42_000 }), null);
    await page.getByRole("progressbar").waitFor();
    await page.screenshot({ path: join(pictures, `wizard-analyze-${theme}.png`) });
    expect(await accessibilityFaults(page)).toEqual([]);
    await inWizard(opened, (host) => host.analyzed(), null);
    await page.locator(".uplot canvas").waitFor();
    await inWizard(opened, (host) => host.tellJob({ layer: "features.4.block.conv.weight", done: 3, total: 8 }), null);
    await page.getByText("Factorizing 4 of 8").waitFor();
    await page.getByText("Factorizing 4 of 8").scrollIntoViewIfNeeded();
    await page.screenshot({ path: join(pictures, `wizard-writing-${theme}.png`) });
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("without a model", async () => {
    const { page, problems } = await browser.open({ model: "none", width: 300, height: 400 });
    await page.getByRole("button", { name: "Choose model" }).waitFor();
    await page.screenshot({ path: join(pictures, "wizard-none-dark.png") });
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });
});

describe.each(THEMES)("a budget of latency in the %s theme", (theme) => {
  it("while it is measured and after, at 300 pixels, breaks no rule of accessibility and not the policy", async () => {
    const opened = await browser.open({ theme, model: "wizard", width: 300, height: 1900 });
    const { page, problems } = opened;
    await page.locator(".uplot canvas").waitFor();
    await page.getByRole("combobox", { name: "Unit" }).click();
    await page.getByRole("option", { name: "latency" }).click();
    await inWizard(opened, (host) => host.tellWork({ task: "latency", layer: "features.4.block.conv.weight", done: 12, total: 48 }), null);
    await page.getByText("Measuring on this machine").waitFor();
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(pictures, `wizard-measuring-${theme}.png`), fullPage: true });
    expect(await accessibilityFaults(page)).toEqual([]);
    await inWizard(opened, (host) => host.endReady(null), null);
    await page.locator(".latency-note").waitFor();
    await inWizard(opened, (host) => host.addRun({ latencyShare: 0.8 }), null);
    await page.getByRole("button", { name: "As ALDS" }).click();
    await page.locator(".ready-bar").waitFor();
    await page.getByRole("button", { name: /^Show features\.3/ }).click();
    await page.locator(".pane-figures").waitFor();
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(pictures, `wizard-latency-${theme}.png`), fullPage: true });
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });
});
