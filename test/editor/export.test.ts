import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { journey } from "./support/journey";
import { numpyRanks } from "./support/numpyRanks";
import { allMeasured } from "./support/reportPage";
import { copySamples } from "./support/workspace";

const FILE = "digits_mlp.safetensors";

describe("the exported report", () => {
  const window = journey("export", copySamples);

  it("is written as CSV to the file that the person names, with the ranks that numpy computes", async () => {
    const report = await window().analyzeFromExplorer(FILE);
    await allMeasured(report);
    await report.getByRole("button", { name: "Export" }).click();
    await window().shot("menu");
    await report.getByRole("menuitem", { name: "CSV" }).click();
    const { folder } = window().place;
    const target = join(folder, "ranks.csv");
    await window().chooseFile(join(folder, "digits_mlp.ranks.csv"), target);
    await report.getByText("Saved to ranks.csv").first().waitFor();
    await window().shot("saved");

    const [head = "", ...lines] = readFileSync(target, "utf8").trim().split(/\r?\n/);
    const columns = head.split(",");
    const read = (line: string, column: string): string | undefined => line.split(",")[columns.indexOf(column)];
    for (const [tensor, ranks] of Object.entries(numpyRanks(join(folder, FILE)))) {
      const line = lines.find((each) => read(each, "name") === tensor) ?? "";
      expect(Number(read(line, "stableRank")), tensor).toBeCloseTo(ranks.stableRank, 6);
      expect(Number(read(line, "effectiveRank")), tensor).toBeCloseTo(ranks.effectiveRank, 6);
    }
  });
});
