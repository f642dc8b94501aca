import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBrowser, type PageBrowser } from "./support/browser";

let browser: PageBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const map = (page: Page) => page.getByRole("grid", { name: /^Model map/ });
const current = (page: Page) => map(page).getByRole("gridcell");

describe("the model map", () => {
  it("is a grid of modules by blocks, and the other layers as a line below", async () => {
    const { page } = await browser.open({ measured: true });
    await expect.poll(() => map(page).getAttribute("aria-label")).toBe("Model map, 7 modules in 24 blocks, coloured by utilization");
    expect(await map(page).getAttribute("aria-rowcount")).toBe("8");
    await page.close();
  });

  it("is a strip where nothing repeats", async () => {
    const { page } = await browser.open({ model: "convolutions", measured: true });
    await expect.poll(() => map(page).getAttribute("aria-label")).toBe("Model map, 25 layers in the order of the model, coloured by utilization");
    await page.close();
  });

  it("selects the layer of the cell that is clicked, and the table goes there", async () => {
    const { page } = await browser.open({ measured: true });
    await map(page).focus();
    await page.keyboard.press("End");
    const box = (await current(page).boundingBox())!;
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await expect.poll(() => page.locator("[role=treegrid] [aria-selected=true]").innerText()).toContain("layers.23");
    await expect.poll(() => page.getByRole("complementary").innerText()).toContain("model.layers.23.self_attn.q_proj.weight");
    await page.locator(".uplot").waitFor();
    await page.close();
  });

  it("is walked by the arrow keys, each cell telling its layer and utilization, and Enter selects", async () => {
    const { page, problems } = await browser.open({ measured: true });
    await map(page).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => current(page).innerText()).toMatch(/^model\.layers\.1\.self_attn\.k_proj\.weight: \d+ % utilized, 16\.4 k parameters$/);
    for (let step = 0; step < 4; step++) await page.keyboard.press("ArrowDown");
    await expect.poll(() => current(page).innerText()).toMatch(/^model\.layers\.1\.mlp\.up_proj\.weight: failed/);
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => current(page).innerText()).toMatch(/^(memory|model\.embed)/);
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator("[role=treegrid] [aria-selected=true]").count()).toBe(1);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("finds the layer of a cell in a table that is sorted otherwise", async () => {
    const { page } = await browser.open({ model: "many", measured: true });
    await page.getByRole("columnheader", { name: "Eff. rank" }).getByRole("button").click();
    await map(page).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    // h.1.w has rank 2 of 16: in descending order it stands at 14/16 of 2,100 lines.
    await expect.poll(() => page.locator("[role=treegrid] [aria-selected=true]").getAttribute("aria-rowindex")).toMatch(/^18\d\d$/);
    expect(await page.locator("[role=treegrid] [aria-selected=true]").innerText()).toContain("h.1.w");
    await page.close();
  });
});

describe("what is not measured", () => {
  it("is listed under its reasons, with counts, the most frequent first", async () => {
    const { page } = await browser.open();
    await page.getByRole("button", { name: "Not measured" }).click();
    const list = page.getByRole("region", { name: /Tensors that are not measured/ });
    await expect.poll(() => list.innerText()).toMatch(/^one axis: no matrix\s+48\s+model\.layers\.0\.input_layernorm\.weight\s+256 bfloat16/);
    await page.evaluate("document.querySelector('.skipped-list').scrollTop = 1e6");
    await expect.poll(() => list.innerText()).toMatch(/a scalar\s+1\s+rotary\.inv_freq\s+scalar float32/);
    expect(await list.locator("li").count()).toBeLessThan(45);
    await page.close();
  });
});
