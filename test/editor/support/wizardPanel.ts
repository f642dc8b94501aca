import type { FrameLocator, Page } from "playwright-core";
import { expect } from "vitest";

/** Analyses, plans and checks of the real models take seconds; on a loaded machine many. */
const WORK_MS = 120_000;

/** The wizard's document in the side bar: a webview is a frame in a frame. */
export function wizardIn(page: Page): FrameLocator {
  return page.locator("iframe.webview.ready[src*='purpose=webviewView'] >> visible=true").contentFrame().frameLocator("#active-frame");
}

/** Waits until a plan is proposed: the curve is drawn and the model can be written. */
export async function planned(wizard: FrameLocator): Promise<void> {
  await wizard.locator(".uplot canvas").first().waitFor({ timeout: WORK_MS });
  await expect.poll(() => wizard.getByRole("button", { name: "Write the model" }).isEnabled(), { timeout: WORK_MS }).toBe(true);
}

/** Waits for the card of a model that was written. */
export async function written(wizard: FrameLocator, file: string): Promise<void> {
  await wizard.locator(".run-card").getByText(file).waitFor({ timeout: WORK_MS });
  await expect.poll(() => wizard.locator(".job").count(), { timeout: WORK_MS }).toBe(0);
}
