import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { journey } from "./support/journey";
import { numpyRanks } from "./support/numpyRanks";
import { descendants } from "./support/processes";
import { allMeasured, tableLines } from "./support/reportPage";
import { copySamples } from "./support/workspace";

/** The page shows whole numbers as they are, other ranks below 10 with two decimals, larger ones with one. */
const shown = (rank: number): string => (Number.isInteger(rank) ? String(rank) : rank.toFixed(rank < 10 ? 2 : 1));

describe("from a right-click to the ranks of every layer", () => {
  const window = journey("right-click", copySamples);

  it("offers Analyze Ranks for model files, and not for others", async () => {
    const labels = async (file: string): Promise<string[]> => {
      const items = await window().contextMenu(file);
      const texts = await items.allInnerTexts();
      await window().page.keyboard.press("Escape");
      return texts.map((text) => text.trim());
    };
    expect(await labels("digits_cnn.onnx")).toContain("Analyze Ranks");
    expect(await labels("digits_mlp.safetensors")).toContain("Analyze Ranks");
    expect(await labels("train.yaml")).not.toContain("Analyze Ranks");
  });

  it("starts no process before it is asked", () => {
    expect(descendants(window().pid, "--type=extensionHost")).toHaveLength(1);
    expect(descendants(window().pid, "/dist/engine.js")).toEqual([]);
  });

  it("shows the ranks that numpy computes from the same file", async () => {
    const report = await window().analyzeFromExplorer("digits_cnn.onnx");
    await allMeasured(report);
    const lines = await tableLines(report);
    await window().shot("report");

    const expected = Object.entries(numpyRanks(join(window().place.folder, "digits_cnn.onnx")));
    expect(expected).toHaveLength(5);
    for (const [tensor, ranks] of expected) {
      const name = [...lines.keys()].find((each) => each.startsWith(tensor));
      expect(lines.get(name ?? tensor), tensor).toMatchObject({
        "Eff. rank": shown(ranks.effectiveRank),
        Stable: shown(ranks.stableRank),
        "E 90 %": shown(ranks.energyRank90),
      });
    }
  });

  it("shows the spectrum and all measures of the layer that is clicked", async () => {
    const report = window().report();
    await report.getByRole("row").filter({ hasText: "9.weight" }).click();
    await report.getByRole("complementary", { name: "Details of the selected layer" }).getByRole("heading", { name: "9.weight" }).waitFor();
    await report.getByText("64 singular values, from").waitFor();
    await window().shot("layer");
  });

  it("breaks no content security policy and logs no error", () => {
    expect(window().complaints).toEqual([]);
  });
});
