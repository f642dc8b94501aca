import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBrowser, type PageBrowser } from "./support/browser";

const pictures = join(import.meta.dirname, "..", "..", "test-results", "webview");

let browser: PageBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

async function choose(page: Page, item: string): Promise<void> {
  await page.getByRole("button", { name: "Export" }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

describe("export", () => {
  it("asks the host for CSV and Markdown, and says where they are", async () => {
    const { page, requests } = await browser.open({ measured: true });
    await choose(page, "CSV");
    await expect.poll(() => page.locator(".news").innerText()).toBe("Saved to report.csv");
    await choose(page, "Markdown");
    await expect.poll(() => page.locator(".news").innerText()).toBe("Saved to report.markdown");
    expect(await requests("export")).toEqual([{ format: "csv" }, { format: "markdown" }]);
    await page.close();
  });

  it("that failed shows the fault with the next step, until it is dismissed", async () => {
    const { page } = await browser.open({ measured: true });
    await choose(page, "JSON");
    await expect.poll(() => page.getByRole("alert").innerText()).toMatch(/report\.json cannot be written\. Choose another folder\./);
    await page.getByRole("button", { name: "Dismiss" }).click();
    await expect.poll(() => page.getByRole("alert").count()).toBe(0);
    await page.close();
  });

  it("draws a picture of the map and the selected spectrum at twice the size", async () => {
    const { page, problems, requests } = await browser.open({ measured: true });
    await page.locator(".row", { hasText: "self_attn.q_proj" }).first().click();
    await choose(page, "Picture");
    await expect.poll(async () => (await requests("exportPng")).length).toBe(1);
    const [{ base64 }] = (await requests("exportPng")) as [{ base64: string }];
    const png = Buffer.from(base64, "base64");
    mkdirSync(pictures, { recursive: true });
    writeFileSync(join(pictures, "exported.png"), png);
    expect(png.subarray(0, 8).toString("latin1")).toBe("\u0089PNG\r\n\u001a\n");
    // Width and height stand in the first chunk (PNG specification, 11.2.2).
    expect(png.readUInt32BE(16)).toBe(2200);
    expect(png.readUInt32BE(20)).toBeGreaterThan(1000);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("is a menu for the keyboard: arrows move, Escape returns to the button", async () => {
    const { page } = await browser.open();
    const button = page.getByRole("button", { name: "Export" });
    await button.focus();
    await page.keyboard.press("Enter");
    const focused = () => page.evaluate<string>("document.activeElement.textContent");
    await expect.poll(focused).toBe("CSV …");
    await page.keyboard.press("ArrowUp");
    await expect.poll(focused).toBe("Picture (PNG) …");
    await page.keyboard.press("Escape");
    await expect.poll(() => button.getAttribute("aria-expanded")).toBe("false");
    await expect.poll(focused).toBe("Export");
    await page.close();
  });
});
