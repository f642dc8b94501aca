import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBrowser, type OpenedPage, type PageBrowser } from "./support/browser";

let browser: PageBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

const runText = ({ page }: OpenedPage) => page.locator(".run-text").innerText();
const count = async ({ requests }: OpenedPage, method: string): Promise<number> => (await requests(method)).length;

/** As when an editor hides a page or shows it again. */
const setVisibility = ({ page }: OpenedPage, state: "hidden" | "visible") =>
  page.evaluate(`Object.defineProperty(document, "visibilityState", { value: "${state}", configurable: true }); document.dispatchEvent(new Event("visibilitychange"));`);

describe("an analysis", () => {
  it("is started and cancelled by keyboard, and the host is asked", async () => {
    const opened = await browser.open();
    const { page, inHost } = opened;
    await expect.poll(() => runText(opened)).toContain("Not analyzed yet");
    await page.getByRole("button", { name: "Analyze", exact: true }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => count(opened, "analyze")).toBe(1);
    await inHost((host) => host.measureTo(40), null);
    await inHost((host) => host.tell({ state: "running", current: ["model.layers.5.mlp.up_proj.weight", "other"], etaMs: 95_000 }), null);
    await expect.poll(() => runText(opened)).toMatch(/40 of 180\s+Measuring model\.layers\.5\.mlp\.up_proj\.weight\s+and 1 more\s+about 1 min 35 s left/);
    const bar = page.getByRole("progressbar");
    expect([await bar.getAttribute("aria-valuenow"), await bar.getAttribute("aria-valuemax")]).toEqual(["40", "180"]);
    await page.getByRole("button", { name: "Cancel" }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => count(opened, "cancel")).toBe(1);
    await expect.poll(() => runText(opened)).toBe("Cancelled: 39 of 180 matrices are measured.");
    await page.getByRole("button", { name: "Resume" }).waitFor();
    await page.close();
  });

  it("fills the lines that are seen as they come, and the map", async () => {
    const opened = await browser.open();
    const { page, inHost } = opened;
    const rank = page.locator(".row", { hasText: "self_attn.q_proj" }).first().locator(".cell").nth(6);
    await expect.poll(() => rank.innerText()).toBe("–");
    await inHost((host) => host.measureTo(20), null);
    await inHost((host) => host.tell({ state: "running" }), null);
    await expect.poll(() => rank.innerText()).toMatch(/^\d/);
    await expect.poll(() => count(opened, "map")).toBeGreaterThan(1);
    await page.close();
  });

  it("does not make the page ask for lines with every message", async () => {
    const opened = await browser.open({ model: "many" });
    const { page, inHost } = opened;
    await expect.poll(() => count(opened, "rows")).toBe(1);
    await inHost((host) => {
      for (let message = 0; message < 200; message++) host.tell({ state: "running" });
    }, null);
    await expect.poll(() => count(opened, "rows")).toBeGreaterThan(1);
    await page.waitForTimeout(600);
    expect(await count(opened, "rows")).toBeLessThan(20);
    await page.close();
  });

  it("is announced by milestones, not layer by layer", async () => {
    const opened = await browser.open();
    const { page, inHost } = opened;
    const status = page.locator("main > [role=status]");
    const said: string[] = [];
    for (const measured of [0, 10, 20, 30, 50, 60]) {
      await inHost((host, rows) => host.measureTo(rows), measured);
      await inHost((host) => host.tell({ state: "running" }), null);
      await expect.poll(() => page.getByRole("progressbar").getAttribute("aria-valuenow")).toBe(String(measured));
      said.push(await status.innerText());
    }
    expect([...new Set(said)]).toEqual(["The analysis started.", "25 percent: 49 of 180 matrices are measured."].map((text) => text.replace("49", "50")));
    await page.close();
  });

  it("that waits says for how many", async () => {
    const opened = await browser.open();
    await opened.inHost((host) => host.tell({ state: "queued", ahead: 2 }), null);
    await expect.poll(() => runText(opened)).toBe("Waiting for 2 other analyses.");
    await opened.page.close();
  });

  it("that stopped shows the fault with the next step, and the log is one click away", async () => {
    const opened = await browser.open();
    const { page, inHost } = opened;
    await inHost((host) => host.tell({ state: "failed", fault: { code: "changed-while-read", message: "The file changed while it was read.", next: "Analyze it again when it is written." } }), null);
    await expect.poll(() => page.getByRole("alert").innerText()).toMatch(/The file changed while it was read\. Analyze it again when it is written\./);
    await page.getByRole("alert").getByRole("button", { name: "Show log" }).click();
    await expect.poll(() => count(opened, "showLog")).toBe(1);
    await page.close();
  });
});

describe("a model that cannot be opened", () => {
  it("says what is wrong and what to do, and is tried again", async () => {
    const opened = await browser.open({ fault: true });
    const { page, inHost, problems } = opened;
    await expect.poll(() => page.getByRole("alert").innerText()).toMatch(/The file ends at byte 4,096.*Copy the file again/s);
    await inHost((host) => host.repair(), null);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("treegrid").waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });
});

describe("a page that was hidden", () => {
  it("asks again where things stand when it is shown", async () => {
    const opened = await browser.open();
    await expect.poll(() => count(opened, "open")).toBe(1);
    await setVisibility(opened, "hidden");
    await opened.inHost((host) => host.measureTo(180), null);
    await opened.inHost((host) => host.become({ state: "done" }), null);
    await setVisibility(opened, "visible");
    await expect.poll(() => count(opened, "open")).toBe(2);
    await expect.poll(() => runText(opened)).toBe("179 of 180 matrices are measured.");
    await expect.poll(() => opened.page.locator(".row", { hasText: "self_attn.q_proj" }).first().locator(".cell").nth(6).innerText()).toMatch(/^\d/);
    await opened.page.close();
  });

  it("and made anew looks as it did: sort, filter, open layers, selection", async () => {
    const { page } = await browser.open({ measured: true });
    await page.getByLabel("Filter layers").fill("memory");
    await page.locator(".row", { hasText: "c_attn" }).locator(".twistie").click();
    await page.getByRole("columnheader", { name: "Eff. rank" }).getByRole("button").click();
    await page.locator(".row.part", { hasText: "k" }).first().click();
    await page.getByRole("button", { name: "Model map" }).click();
    await page.waitForTimeout(300);
    await page.reload();
    await expect.poll(() => page.getByLabel("Filter layers").inputValue()).toBe("memory");
    await expect.poll(() => page.locator(".row:not(.head)").count()).toBe(5);
    expect(await page.getByRole("columnheader", { name: "Eff. rank" }).getAttribute("aria-sort")).toBe("descending");
    await expect.poll(() => page.locator(".row[aria-selected=true]").innerText()).toMatch(/^k\b/);
    await expect.poll(() => page.getByRole("complementary").innerText()).toContain("memory.c_attn.weight");
    expect(await page.getByRole("button", { name: "Model map" }).getAttribute("aria-expanded")).toBe("false");
    await page.close();
  });

  it("is scrolled to where it was, and still shows the selected layer that is out of sight", async () => {
    const { page } = await browser.open({ model: "many", measured: true });
    await page.locator(".row", { hasText: "h.3.w" }).click();
    await page.evaluate("document.querySelector('.table').scrollTop = 24000");
    await page.locator(".row", { hasText: "h.1005.w" }).waitFor();
    await page.waitForTimeout(300);
    await page.reload();
    await page.locator(".row", { hasText: "h.1005.w" }).waitFor();
    await expect.poll(() => page.getByRole("complementary").innerText()).toContain("h.3.w");
    await page.close();
  });
});

describe("a model that changed", () => {
  it("is opened again, and nothing of before is shown", async () => {
    const opened = await browser.open({ measured: true });
    const { page, inHost } = opened;
    await page.locator(".row", { hasText: "self_attn.q_proj" }).first().click();
    await page.locator(".uplot").waitFor();
    await inHost((host) => host.forgetAll(), null);
    await expect.poll(() => count(opened, "open")).toBe(2);
    await expect.poll(() => page.locator(".row", { hasText: "self_attn.q_proj" }).first().locator(".cell").nth(6).innerText()).toBe("–");
    await expect.poll(() => page.locator(".uplot").count()).toBe(0);
    expect(await count(opened, "analyze")).toBe(0);
    await page.close();
  });
});
