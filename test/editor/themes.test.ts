import type { FrameLocator } from "playwright-core";
import { describe, expect, it } from "vitest";
import { journey } from "./support/journey";
import { allMeasured } from "./support/reportPage";
import { copySamples } from "./support/workspace";

const THEMES = [
  { theme: "Dark Modern", kind: "vscode-dark" },
  { theme: "Dark High Contrast", kind: "vscode-high-contrast" },
  { theme: "Light High Contrast", kind: "vscode-high-contrast-light" },
  { theme: "Light Modern", kind: "vscode-light" },
];
/** WCAG 2.1, 1.4.3: text and its background. */
const READABLE = 4.5;

/** Relative luminance of WCAG of an sRGB colour, `rgb(…)` as browsers compute it. */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map((channel) => {
    const share = Number(channel) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

async function contrast(report: FrameLocator): Promise<number> {
  const [text, ground] = await report.getByRole("rowheader").first().evaluate((element) => {
    const view = element.ownerDocument.defaultView!;
    return [view.getComputedStyle(element).color, view.getComputedStyle(element.ownerDocument.body).backgroundColor] as const;
  });
  const [darker, lighter] = [luminance(text), luminance(ground)].sort((a, b) => a - b);
  return (lighter! + 0.05) / (darker! + 0.05);
}

describe("the report under other themes", () => {
  const window = journey("themes", copySamples);

  it("is open", async () => {
    const report = await window().analyzeFromExplorer("digits_mlp.safetensors");
    await allMeasured(report);
    await report.getByRole("row").filter({ hasText: "head" }).click();
    await report.getByText("singular values, from").waitFor();
  });

  it.each(THEMES)("follows $theme", async ({ theme, kind }) => {
    await window().command("Preferences: Color Theme");
    await window().choose(theme);
    const report = window().report();
    await report.locator(`body.${kind}`).waitFor();
    await window().shot(kind.replace("vscode-", ""));
    expect(await contrast(report)).toBeGreaterThan(READABLE);
  });

  it("breaks no content security policy and logs no error", () => {
    expect(window().complaints).toEqual([]);
  });
});
