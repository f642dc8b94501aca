import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBrowser, type PageBrowser } from "./support/browser";

let browser: PageBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const details = (page: Page) => page.getByRole("complementary");
const select = (page: Page, text: string) => page.locator(".row:not(.head)", { hasText: text }).first().click();
/** Different colours on the canvas of the plot: a blank one has one. */
const colours = (page: Page) => page.evaluate<number>(`(() => {
  const canvas = document.querySelector(".uplot canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
})()`);

describe("the selected layer", () => {
  it("has its spectrum drawn, with a summary in words", async () => {
    const { page, problems, requests } = await browser.open({ model: "many", measured: true });
    await select(page, "h.3.w");
    await page.locator(".uplot").waitFor();
    await expect.poll(() => colours(page)).toBeGreaterThan(10);
    expect(await requests("spectrum")).toEqual([{ id: 3 }]);
    expect(await details(page).innerText()).toContain("16 singular values, from 1 down to 0.");
    expect(await details(page).locator(".legend").innerText()).toMatch(/Effective rank\s+4(\.00)?\s.*noise edge/s);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("has its singular values told by keyboard: of 4 equal ones each holds a quarter of the energy", async () => {
    const { page } = await browser.open({ model: "many", measured: true });
    await select(page, "h.3.w");
    const plot = page.getByRole("slider", { name: /Spectrum/ });
    await plot.focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    expect(await plot.getAttribute("aria-valuetext")).toBe("σ2 of 16: 1, energy up to here 50.0 %");
    expect(await page.locator(".readout").innerText()).toBe("σ2 of 16: 1, energy up to here 50.0 %");
    await page.keyboard.press("End");
    expect(await plot.getAttribute("aria-valuenow")).toBe("16");
    await page.close();
  });

  it("has a linear scale too, which stays", async () => {
    const { page } = await browser.open({ model: "many", measured: true });
    await select(page, "h.3.w");
    await page.getByRole("combobox", { name: "Scale of the singular values" }).click();
    await page.getByRole("option", { name: "Linear" }).click();
    await expect.poll(() => page.evaluate<string>("sessionStorage.getItem('state')")).toContain('"scale":"linear"');
    await page.locator(".uplot").waitFor();
    await page.close();
  });

  it("explains each measure on focus, and Escape hides the explanation", async () => {
    const { page } = await browser.open({ model: "many", measured: true });
    await select(page, "h.3.w");
    const term = details(page).getByRole("button", { name: "Stable rank" });
    await term.focus();
    await expect.poll(() => page.getByRole("tooltip").innerText()).toMatch(/σ₁².*How to read it.*Source: Rudelson/s);
    expect(await term.getAttribute("aria-describedby")).toBe(await page.getByRole("tooltip").getAttribute("id"));
    await page.keyboard.press("Escape");
    await expect.poll(() => page.getByRole("tooltip").count()).toBe(0);
    await page.close();
  });

  it("is copied as JSON and as singular values", async () => {
    const { page, requests } = await browser.open({ model: "many", measured: true });
    await select(page, "h.3.w");
    await page.getByRole("button", { name: "Copy the measures as JSON" }).click();
    await page.getByRole("button", { name: "Copy the singular values" }).click();
    await expect.poll(async () => (await requests("copy")).length).toBe(2);
    const [json, values] = (await requests("copy")) as { text: string }[];
    expect(JSON.parse(json!.text)).toMatchObject({ name: "h.3.w", matrix: [16, 32], stableRank: 4, numericalRank: 4 });
    expect(values!.text.split("\n").map(Number)).toEqual([1, 1, 1, 1, ...Array<number>(12).fill(0)]);
    await page.close();
  });

  it("that failed says why and what to do", async () => {
    const { page } = await browser.open({ measured: true });
    await page.getByLabel("Filter layers").fill("layers.1.mlp.up");
    await expect.poll(() => page.locator(".row:not(.head)").count()).toBe(1);
    await select(page, "mlp.up_proj");
    await expect.poll(() => details(page).getByRole("alert").innerText()).toMatch(/holds 3 NaN values\. Find out which step/);
    await page.close();
  });

  it("that stands for parts shows their means, and opens to them", async () => {
    const { page } = await browser.open({ measured: true });
    await page.getByLabel("Filter layers").fill("lstm");
    await expect.poll(() => page.locator(".row:not(.head)").count()).toBe(1);
    await select(page, "lstm");
    // Flat spectra of rank 16, 32, 48 and 64.
    await expect.poll(() => details(page).innerText()).toMatch(/means over 4 parts.*Effective rank\s+40(\.0)? \/ 128/s);
    await page.getByRole("button", { name: "Show the parts" }).click();
    await select(page, "gate:f");
    await expect.poll(() => details(page).innerText()).toMatch(/gate:f.*Effective rank\s+32(\.0)? \/ 128/s);
    await page.locator(".uplot").waitFor();
    await page.close();
  });

  it("gets its measures and spectrum when they come", async () => {
    const { page, inHost } = await browser.open({ model: "many" });
    await select(page, "h.3.w");
    await expect.poll(() => details(page).innerText()).toContain("Not measured yet");
    await inHost((host) => host.measureTo(10), null);
    await inHost((host) => host.tell({ state: "running" }), null);
    await page.locator(".uplot").waitFor();
    await expect.poll(() => details(page).innerText()).toMatch(/Numerical rank\s+4/);
    await page.close();
  });

  it("says which measure rounding could tip", async () => {
    const { page } = await browser.open({ measured: true });
    await page.getByLabel("Filter layers").fill("lm_head");
    await expect.poll(() => page.locator(".row:not(.head)").count()).toBe(1);
    await select(page, "lm_head");
    await expect.poll(() => details(page).innerText()).toMatch(/Numerical rank\s+64\s+A singular value meets the threshold/);
    expect(await details(page).innerText()).toContain("also used as model.embed_tokens.weight");
    await page.close();
  });
});
