import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessibilityFaults } from "./support/accessibility";
import { startBrowser, type OpenedPage, type PageBrowser } from "./support/browser";
import type { PlannerRequest, PlannerStandIn } from "./support/plannerStandInApi";

const THEMES = ["dark", "light", "highContrast", "highContrastLight"] as const;
const pictures = join(import.meta.dirname, "..", "..", "test-results", "webview");

let browser: PageBrowser;
beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  browser = await startBrowser("planner");
});
afterAll(() => browser.close());

const line = (page: Page, method: string) => page.locator("tbody tr").filter({ has: page.getByRole("button", { name: method, exact: true }) });
const figure = async (page: Page, method: string): Promise<string> => (await line(page, method).locator("td").first().textContent()) ?? "";
async function inPlanner<R>({ page }: OpenedPage, action: (host: PlannerStandIn) => R): Promise<R> {
  return (await page.evaluateHandle<PlannerStandIn>("standIn")).evaluate(action as never) as Promise<R>;
}
const asked = async (opened: OpenedPage, method: string): Promise<unknown[]> =>
  ((await inPlanner(opened, (host) => host.requests)) as readonly PlannerRequest[]).filter((request) => request.method === method).map(({ params }) => params);

async function open(options: Parameters<PageBrowser["open"]>[0] = {}): Promise<OpenedPage> {
  const opened = await browser.open({ width: 1200, ...options });
  await (options.fault === true ? opened.page.getByRole("alert") : opened.page.getByRole("table")).waitFor();
  return opened;
}

describe("the planner", () => {
  it("shows every method on the config's targets, and marks the config's own", async () => {
    const { page } = await open();
    expect(await page.locator("tbody tr").count()).toBe(32);
    expect(await figure(page, "LoRA")).toBe("8,388,608");
    expect(await page.locator("tr.own").count()).toBe(1);
    expect(await line(page, "DoRA").textContent()).toContain("this config");
    await page.close();
  });

  it("follows the rank, in the field and on the slider, and goes back to the config's", async () => {
    const { page } = await open();
    await page.getByLabel("Rank", { exact: true }).fill("8");
    await expect.poll(() => figure(page, "LoRA")).toBe("4,194,304");
    await page.getByLabel("Rank, in powers of two").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => figure(page, "LoRA")).toBe("16,777,216");
    await page.getByRole("button", { name: "As in the config" }).click();
    await expect.poll(() => figure(page, "LoRA")).toBe("8,388,608");
    await page.close();
  });

  it("asks for nothing that cannot be", async () => {
    const opened = await open();
    const before = (await asked(opened, "plan")).length;
    for (const text of ["", "0", "-3", "5000", "2.5"]) await opened.page.getByLabel("Rank", { exact: true }).fill(text);
    expect((await asked(opened, "plan")).length).toBe(before);
    await opened.page.close();
  });

  it("follows the choice of modules", async () => {
    const { page } = await open();
    await page.getByRole("combobox", { name: "Adapted modules" }).click();
    await page.getByRole("option", { name: /All linear layers \(224 modules\)/ }).click();
    await expect.poll(() => figure(page, "LoRA")).toBe("39,976,960");
    await page.close();
  });

  it("follows the rank of projected gradients", async () => {
    const { page } = await open();
    const before = await line(page, "GaLore").textContent();
    await page.getByLabel("Rank of projected gradients").fill("64");
    await expect.poll(() => line(page, "GaLore").textContent()).not.toBe(before);
    await page.close();
  });

  it("sorts by its heads, one way, the other, and back", async () => {
    const { page } = await open();
    const first = () => page.locator("tbody .term").first().textContent();
    expect(await first()).toBe("LoRA");
    const head = page.getByRole("button", { name: "Trainable" });
    await head.click();
    expect(await page.locator("th[aria-sort=descending]").textContent()).toBe("Trainable");
    await head.click();
    expect(await first()).toBe("SVFit");
    await head.click();
    expect(await first()).toBe("LoRA");
    await page.getByRole("button", { name: "Method", exact: true }).focus();
    await page.keyboard.press("Enter");
    expect(await first()).toBe("AFLoRA");
    await page.close();
  });

  it("says of each method where its formula is from, under the pointer and from the keyboard", async () => {
    const { page } = await open();
    await page.getByRole("button", { name: "LoRA-XS", exact: true }).focus();
    expect(await page.getByRole("tooltip").textContent()).toContain("Bałazy et al. 2024");
    await page.keyboard.press("Escape");
    expect(await page.getByRole("tooltip").count()).toBe(0);
    expect(await line(page, "LoRA-XS").getByRole("link").getAttribute("href")).toBe("https://arxiv.org/abs/2405.17604");
    expect(await figure(page, "NoRA")).toMatch(/^≈ /);
    await page.close();
  });

  it("copies its table as it is sorted", async () => {
    const opened = await open();
    await opened.page.getByRole("button", { name: "Copy as a table" }).click();
    const [{ text }] = (await asked(opened, "copy")) as [{ text: string }];
    expect(text.split("\n")).toHaveLength(33);
    expect(text.split("\n")[1]).toMatch(/^LoRA\t8388608\t/);
    await opened.page.close();
  });

  it("asks again when the config changed, and remembers its form over a reload", async () => {
    const opened = await open();
    await inPlanner(opened, (host) => host.rename("mine/llama"));
    await opened.page.getByText("mine/llama").waitFor();
    await opened.page.getByLabel("Rank", { exact: true }).fill("8");
    await expect.poll(() => figure(opened.page, "LoRA")).toBe("4,194,304");
    await opened.page.reload();
    await expect.poll(() => figure(opened.page, "LoRA")).toBe("4,194,304");
    await opened.page.close();
  });

  it("says why there is nothing to plan for, and tries again", async () => {
    const opened = await open({ fault: true });
    expect(await opened.page.getByRole("alert").textContent()).toContain("is not on this machine");
    await inPlanner(opened, (host) => host.repair());
    await opened.page.getByRole("button", { name: "Try again" }).click();
    await opened.page.getByRole("table").waitFor();
    await opened.page.close();
  });
});

describe.each(THEMES)("in the %s theme", (theme) => {
  it.each([1200, 500])("at %i pixels it breaks no rule of accessibility and not the policy", async (width) => {
    const { page, problems } = await open({ theme, width });
    await page.getByRole("button", { name: "Optimizer" }).click();
    await page.screenshot({ path: join(pictures, `planner-${theme}-${width}.png`) });
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });
});
