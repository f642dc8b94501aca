import type { Frame, Page } from "playwright-core";
import { expect } from "vitest";

/** Analyses, plans and checks of the real models take seconds; on a loaded machine many. */
const WORK_MS = 120_000;

/** The wizard's document in the side bar: a webview is a frame in a frame, and is made anew when its view is shown again. */
export async function wizardIn(page: Page): Promise<Frame> {
  let wizard: Frame | undefined;
  await expect.poll(async () => {
    for (const frame of page.frames()) {
      if (await frame.locator("main.wizard").isVisible().catch(() => false)) wizard = frame;
    }
    return wizard !== undefined;
  }, { timeout: WORK_MS }).toBe(true);
  return wizard!;
}

/** Waits until a plan is proposed: the curve is drawn and the model can be written. */
export async function planned(wizard: Frame): Promise<void> {
  await wizard.locator(".uplot canvas").first().waitFor({ timeout: WORK_MS });
  await expect.poll(() => wizard.getByRole("button", { name: "Write the model" }).isEnabled(), { timeout: WORK_MS }).toBe(true);
}

/** Waits for the card of a model that was written. */
export async function written(wizard: Frame, file: string): Promise<void> {
  await wizard.locator(".run-card").getByText(file).waitFor({ timeout: WORK_MS });
  await expect.poll(() => wizard.locator(".job").count(), { timeout: WORK_MS }).toBe(0);
}
