import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessibilityFaults } from "./support/accessibility";
import { startBrowser, type PageBrowser } from "./support/browser";

const THEMES = ["dark", "light", "highContrast", "highContrastLight"] as const;
const WIDTHS = [1400, 700] as const;
const pictures = join(import.meta.dirname, "..", "..", "test-results", "webview");

let browser: PageBrowser;
beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  browser = await startBrowser();
});
afterAll(() => browser.close());

describe.each(THEMES)("in the %s theme", (theme) => {
  it.each(WIDTHS)("a measured model at %i pixels breaks no rule of accessibility and not the policy", async (width) => {
    const { page, problems } = await browser.open({ theme, measured: true, width });
    await page.locator(".row", { hasText: "layers.1" }).first().click();
    await page.locator(".uplot canvas").waitFor();
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(pictures, `${theme}-${width}.png`) });
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });
});

describe("while it is at work", () => {
  it.each(["dark", "light"])("a half-measured model, an open menu and the list of what is not measured, in the %s theme", async (theme) => {
    const { page, problems, inHost } = await browser.open({ theme, width: 1400 });
    await inHost((host) => host.measureTo(70), null);
    await inHost((host) => host.setRow(70, { state: "computing" }), null);
    await inHost((host) => host.tell({ state: "running", current: ["model.layers.9.mlp.down_proj.weight", "model.layers.10.self_attn.q_proj.weight"], etaMs: 42_000 }), null);
    await page.getByRole("button", { name: "Not measured" }).click();
    await page.locator(".row", { hasText: "layers.0" }).nth(2).click();
    await page.locator(".uplot").waitFor();
    await page.evaluate("document.querySelector('.table').scrollTop = 68 * 24; document.querySelector('.detail').scrollTop = 1e4");
    await page.waitForTimeout(400);
    await page.getByRole("button", { name: "Columns" }).click();
    await page.screenshot({ path: join(pictures, `work-${theme}-1400.png`) });
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  it.each(["dark", "highContrast"])("a model without blocks, with a part selected and a measure explained, in the %s theme", async (theme) => {
    const { page, problems } = await browser.open({ theme, model: "convolutions", measured: true, width: 1400 });
    await page.locator(".row", { hasText: "features.5" }).locator(".twistie").click();
    await page.locator(".row.part").click();
    await page.locator(".uplot").waitFor();
    await page.getByRole("complementary").getByRole("button", { name: "Stable rank" }).focus();
    await page.getByRole("tooltip").waitFor();
    await page.screenshot({ path: join(pictures, `strip-${theme}-1400.png`) });
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("a model that cannot be opened", async () => {
    const { page, problems } = await browser.open({ fault: true, width: 700 });
    await page.getByRole("alert").waitFor();
    await page.screenshot({ path: join(pictures, "fault-dark-700.png") });
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });
});
