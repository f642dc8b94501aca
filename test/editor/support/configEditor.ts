import type { Locator, Page } from "playwright-core";
import { expect } from "vitest";
import type { VscodeWindow } from "./vscodeWindow";

const WAIT_MS = 30_000;
const ATTEMPTS = 5;

/** The text editor of a window, as a person uses it on a training config. */
export class ConfigEditor {
  constructor(private readonly window: VscodeWindow) {}

  private get page(): Page {
    return this.window.page;
  }

  async open(name: string): Promise<void> {
    await this.window.file(name).dblclick();
    await this.page.getByRole("tab", { name, exact: false }).and(this.page.locator(".active")).waitFor();
    await this.text.waitFor();
  }

  get text(): Locator {
    return this.page.locator(".editor-instance .view-lines").first();
  }

  get lenses(): Locator {
    return this.page.locator(".codelens-decoration");
  }

  /** Underlined places of a finding. */
  get findings(): Locator {
    return this.page.locator(".squiggly-error, .squiggly-warning, .squiggly-info");
  }

  /** Puts the cursor after the first occurrence of a text in the file. */
  async goAfter(content: string, text: string): Promise<void> {
    const at = content.indexOf(text);
    expect(at, text).toBeGreaterThanOrEqual(0);
    const before = content.slice(0, at + text.length).split("\n");
    await this.page.keyboard.press("Control+g");
    const input = this.page.locator(".quick-input-widget input[type=text]");
    await input.fill(`:${before.length}:${before.at(-1)!.length + 1}`);
    await this.page.keyboard.press("Enter");
    await input.waitFor({ state: "hidden" });
  }

  /** The hover's text where the cursor stands. */
  async hover(): Promise<string> {
    await this.until(this.page.locator(".monaco-hover:not(.hidden) .hover-contents").first(), "Control+k", "Control+i");
    const texts = await this.page.locator(".monaco-hover:not(.hidden) .hover-contents").allInnerTexts();
    await this.page.keyboard.press("Escape");
    return texts.join("\n");
  }

  /** Labels of what is offered where the cursor stands; the list stays open. */
  async complete(): Promise<string[]> {
    const rows = this.page.locator(".suggest-widget.visible .monaco-list-row");
    await this.until(rows.first(), "Control+Space");
    return (await rows.allInnerTexts()).map((text) => text.replace(/\s+/g, " ").trim());
  }

  /** Applies the first action whose title begins so. */
  async act(title: string): Promise<void> {
    const widget = this.page.locator(".action-widget");
    const item = widget.getByText(title).first();
    await this.until(item, "Control+.");
    // The menu lets no pointer through for a moment after it has opened.
    await item.dispatchEvent("mousedown");
    await item.dispatchEvent("mouseup");
    await item.dispatchEvent("click");
  }

  /** Presses keys until they have their effect: the editor may not have taken the focus back yet. */
  private async until(shown: Locator, ...keys: readonly string[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      for (const key of keys) await this.page.keyboard.press(key);
      try {
        return await shown.waitFor({ timeout: WAIT_MS / ATTEMPTS });
      } catch (error) {
        if (attempt === ATTEMPTS) throw error;
        await this.page.keyboard.press("Escape");
      }
    }
  }

  /** What the editor holds, line by line. The editor draws blanks as no-break spaces. */
  async content(): Promise<string> {
    const lines = await this.page.locator(".editor-instance .view-line").evaluateAll((elements) =>
      elements.map((element) => ({ top: parseFloat(element.computedStyleMap().get("top")?.toString() ?? "0"), text: element.textContent ?? "" })).sort((a, b) => a.top - b.top).map(({ text }) => text));
    return lines.join("\n").replaceAll("\u00a0", " ");
  }
}
