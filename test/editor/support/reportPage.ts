import type { FrameLocator, Page } from "playwright-core";
import { expect } from "vitest";

/** An analysis of the sample models takes a second or two; of the long model, half a minute on a loaded machine. */
const ANALYSIS_MS = 120_000;

/** The document of the report that is in front: a webview is a frame in a frame; views in the side bar are webviews too. */
export function reportIn(page: Page): FrameLocator {
  return page.locator("[data-parent-flow-to-element-id^=webview-editor-element] iframe.webview.ready >> visible=true").contentFrame().frameLocator("#active-frame");
}

/** Waits until the sentence about the analysis is on the page, and returns it. */
export async function waitForText(report: FrameLocator, text: RegExp): Promise<string> {
  const found = report.getByText(text).first();
  await found.waitFor({ timeout: ANALYSIS_MS });
  return (await found.textContent()) ?? "";
}

/** Waits for the sentence, and for the figures of the rows on the screen, which the page asks for after it. */
export async function allMeasured(report: FrameLocator): Promise<void> {
  await waitForText(report, /^(All \d+ matrices are|The only matrix is) measured\.$/);
  await expect.poll(() => report.getByRole("rowheader").filter({ hasText: "Not measured yet" }).count(), { timeout: ANALYSIS_MS }).toBe(0);
}

/** Lines of the table as a person reads them: the layer's name, and the figure under each column head. */
export async function tableLines(report: FrameLocator): Promise<Map<string, Record<string, string>>> {
  const heads = (await report.getByRole("columnheader").allInnerTexts()).map(tidy);
  const lines = new Map<string, Record<string, string>>();
  for (const row of await report.getByRole("row").filter({ has: report.getByRole("rowheader") }).all()) {
    const name = tidy(await row.getByRole("rowheader").innerText());
    const cells = (await row.getByRole("gridcell").allInnerTexts()).map(tidy);
    lines.set(name, Object.fromEntries(cells.map((cell, i) => [heads[i + 1] ?? String(i), cell])));
  }
  return lines;
}

const tidy = (text: string): string => text.replace(/\s+/g, " ").trim();
