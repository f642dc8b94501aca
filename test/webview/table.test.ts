import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MARKUP_NAME } from "./support/names";
import { startBrowser, type PageBrowser } from "./support/browser";

let browser: PageBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const table = (page: Page) => page.getByRole("treegrid", { name: "Layers" });
const lines = (page: Page) => table(page).locator("[role=row]:not(.head)");
const line = (page: Page, text: string) => lines(page).filter({ hasText: text }).first();
const selected = (page: Page) => table(page).locator("[aria-selected=true]");
/** Texts of one line's cells, by the heads of their columns. */
async function cells(page: Page, text: string): Promise<Record<string, string>> {
  const heads = await table(page).getByRole("columnheader").allInnerTexts();
  const texts = await line(page, text).locator(".cell").allInnerTexts();
  return Object.fromEntries(heads.map((head, index) => [head.trim(), (texts[index] ?? "").replace(/\s+/g, " ").trim()]));
}

describe("before anything is computed", () => {
  it("the header and every layer with kind, shape and type are there, and nothing is asked to compute", async () => {
    const { page, problems, requests } = await browser.open();
    await expect.poll(() => page.getByRole("heading", { level: 1 }).innerText()).toBe("tiny-llama/model.safetensors.index.json");
    const facts = await page.locator(".facts div").allInnerTexts();
    expect(facts.map((fact) => fact.replace(/\s+/g, " "))).toEqual(expect.arrayContaining(["Format safetensors", "Tensors 223"]));
    await expect.poll(() => page.locator(".count").innerText()).toBe("174 layers");
    expect(await table(page).getAttribute("aria-rowcount")).toBe("175");
    expect(await cells(page, "layers.0 self_attn.k_proj".split(" ")[1]!)).toMatchObject({ Kind: "attention", Shape: "64×256", Type: "bfloat16", Matrix: "64×256", K: "64", "Eff. rank": "–" });
    expect(await requests("analyze")).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("a line that is not measured says so", async () => {
    const { page } = await browser.open();
    expect(await line(page, "self_attn.k_proj").getAttribute("title")).toBe("Not measured yet");
    await page.close();
  });
});

describe("what a line shows", () => {
  it("effective and stable rank beside K, and utilization: of r equal singular values both ranks are r", async () => {
    const { page } = await browser.open({ model: "many", measured: true });
    expect(await cells(page, "h.7.w")).toMatchObject({ K: "16", "Eff. rank": expect.stringMatching(/^8(\.00)?$/), Stable: "8", Utilization: "50 %", "E 90 %": "8" });
    await page.close();
  });

  it("a failed layer apart from the others, with the reason and the next step", async () => {
    const { page } = await browser.open({ measured: true });
    await page.getByLabel("Filter layers").fill("layers.1.mlp.up_proj");
    const failed = line(page, "mlp.up_proj");
    await expect.poll(() => failed.getAttribute("title")).toContain("holds 3 NaN values. Find out");
    expect((await cells(page, "mlp.up_proj"))["Eff. rank"]).toBe("failed");
    expect(await failed.getAttribute("class")).toContain("failed");
    await page.close();
  });

  it("an estimate apart from exact values, with its error", async () => {
    const { page } = await browser.open({ measured: true });
    await page.getByLabel("Filter layers").fill("estimate");
    await expect.poll(async () => (await cells(page, "adapter.estimate"))["Eff. rank"]).toMatch(/^≈ /);
    expect(await line(page, "adapter.estimate").locator(".estimate").first().getAttribute("title")).toBe("Estimate, relative error up to 0.4 %");
    await page.close();
  });

  it("what a first sweep found, as an estimate, until the spectrum is known", async () => {
    const { page } = await browser.open({ model: "swept" });
    await expect.poll(async () => (await cells(page, "swept.weight"))["Stable"]).toBe("≈ 9");
    expect((await cells(page, "swept.weight"))["Eff. rank"]).toBe("–");
    expect(await line(page, "swept.weight").locator(".estimate").getAttribute("title")).toBe("Estimate, relative error up to 0.2 %");
    await line(page, "swept.weight").click();
    await expect.poll(() => page.getByRole("complementary").locator("dd").allInnerTexts()).toEqual([expect.stringContaining("≈ 9"), expect.stringContaining("≈ 2"), "6"]);
    await page.close();
  });

  it("names with markup as text", async () => {
    const { page, problems } = await browser.open({ measured: true });
    await page.getByLabel("Filter layers").fill("onerror");
    await expect.poll(() => lines(page).count()).toBe(1);
    expect(await lines(page).locator(".module bdi").innerText()).toBe(MARKUP_NAME);
    await lines(page).click();
    await expect.poll(() => page.getByRole("complementary").getByRole("heading", { level: 2 }).innerText()).toBe(MARKUP_NAME);
    expect(await page.locator("img").count()).toBe(0);
    expect(problems).toEqual([]);
    await page.close();
  });
});

describe("by keyboard", () => {
  it("a column sorts, says how, and the engine does it", async () => {
    const { page, requests } = await browser.open({ model: "many", measured: true });
    const head = table(page).getByRole("columnheader", { name: "Stable" });
    await table(page).getByRole("columnheader", { name: "Layer" }).getByRole("button").focus();
    for (let step = 0; step < 7; step++) await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await expect.poll(() => head.getAttribute("aria-sort")).toBe("descending");
    await expect.poll(async () => (await cells(page, "h.15.w"))["Stable"]).toBe("16");
    expect(await lines(page).first().innerText()).toContain("h.15.w");
    await page.keyboard.press("Enter");
    await expect.poll(() => head.getAttribute("aria-sort")).toBe("ascending");
    await expect.poll(() => lines(page).first().innerText()).toContain("h.0.w");
    expect((await requests("rows")).at(-1)).toMatchObject({ sort: { key: "stableRank", descending: false } });
    await page.close();
  });

  it("/ goes to the filter, words filter, Enter goes back to the lines", async () => {
    const { page } = await browser.open();
    await table(page).focus();
    await page.keyboard.press("/");
    await page.keyboard.type("LAYERS.2 down");
    await expect.poll(() => page.locator(".count").innerText()).toBe("5 of 174 layers");
    await page.keyboard.press("Enter");
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => selected(page).innerText()).toContain("layers.2");
    await page.getByLabel("Filter layers").fill("nothing has this");
    await expect.poll(() => table(page).innerText()).toContain("No layer has all of these words.");
    await page.close();
  });

  it("a layer opens to its parts and folds again", async () => {
    const { page } = await browser.open({ measured: true });
    await page.getByLabel("Filter layers").fill("c_attn");
    await expect.poll(() => lines(page).count()).toBe(1);
    await table(page).focus();
    await page.keyboard.press("ArrowDown");
    const layer = line(page, "memory.c_attn.weight");
    await expect.poll(() => layer.getAttribute("aria-selected")).toBe("true");
    expect(await layer.getAttribute("aria-expanded")).toBe("false");
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => lines(page).count()).toBe(4);
    expect(await layer.getAttribute("aria-expanded")).toBe("true");
    expect(await lines(page).nth(2).getAttribute("aria-level")).toBe("2");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => selected(page).innerText()).toMatch(/^k\b/);
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => selected(page).innerText()).toContain("c_attn");
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => lines(page).count()).toBe(1);
    await page.close();
  });

  it("Ctrl+C copies the line with a head, figures in full", async () => {
    const { page, requests } = await browser.open({ model: "many", measured: true });
    await line(page, "h.2.w").click();
    await page.keyboard.press("Control+c");
    await expect.poll(async () => (await requests("copy")).length).toBe(1);
    const [{ text }] = (await requests("copy")) as [{ text: string }];
    const [head, body] = text.split("\n").map((row) => row.split("\t"));
    expect(head!.slice(0, 6)).toEqual(["Layer", "part", "Kind", "Shape", "Type", "Matrix"]);
    expect(body!.slice(0, 7)).toEqual(["h.2.w", "", "linear", "16×32", "float32", "16×32", "16"]);
    expect(Number(body![7])).toBeCloseTo(3, 12);
    await page.close();
  });
});

describe("2,100 layers", () => {
  it("scroll with only a window of them in the document, from the first to the last", async () => {
    const { page, problems } = await browser.open({ model: "many", measured: true });
    await table(page).focus();
    for (const [key, name] of [["End", "h.2099.w"], ["Home", "h.0.w"], ["PageDown", "h.18.w"], ["End", "h.2099.w"]] as const) {
      await page.keyboard.press(key);
      if (key !== "PageDown") await expect.poll(() => selected(page).innerText()).toContain(name);
      expect(await lines(page).count()).toBeLessThan(100);
    }
    await table(page).hover();
    for (let step = 0; step < 20; step++) {
      await page.mouse.wheel(0, -2000);
      expect(await lines(page).count()).toBeLessThan(100);
    }
    await expect.poll(() => page.locator(".skeleton").count()).toBe(0);
    expect(problems).toEqual([]);
    await page.close();
  });

  it("are asked for by pages around what is seen", async () => {
    const { page, requests } = await browser.open({ model: "many" });
    await table(page).focus();
    await page.keyboard.press("End");
    await expect.poll(() => selected(page).innerText()).toContain("h.2099.w");
    const pages = (await requests("rows")) as { start: number; end: number }[];
    expect(pages.every(({ start, end }) => end - start <= 64)).toBe(true);
    expect(pages.reduce((sum, { start, end }) => sum + end - start, 0)).toBeLessThan(640);
    await page.close();
  });
});

describe("columns", () => {
  it("are added from all measures, and the choice stays", async () => {
    const { page } = await browser.open({ model: "many", measured: true });
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByRole("checkbox", { name: "Numerical rank" }).click();
    await page.keyboard.press("Escape");
    await expect.poll(async () => (await cells(page, "h.4.w"))["Num. rank"]).toBe("5");
    await expect.poll(() => page.evaluate<string>("sessionStorage.getItem('state')")).toContain("numericalRank");
    await page.reload();
    await expect.poll(async () => (await cells(page, "h.4.w"))["Num. rank"]).toBe("5");
    await page.close();
  });

  it("put the ranks first where there is little room", async () => {
    const { page } = await browser.open({ model: "many", measured: true, width: 700 });
    await expect.poll(() => table(page).getByRole("columnheader").allInnerTexts()).toEqual(
      expect.arrayContaining(["Layer", "Matrix", "K", "Eff. rank"]));
    expect((await table(page).getByRole("columnheader").allInnerTexts()).slice(0, 5)).toEqual(["Layer", "Matrix", "K", "Eff. rank", "Stable"]);
    await page.close();
  });
});
