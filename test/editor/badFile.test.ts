import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { journey } from "./support/journey";
import { allMeasured } from "./support/reportPage";
import { copySamples } from "./support/workspace";

const BROKEN = "broken.safetensors";

describe("a file that ends too early", () => {
  const window = journey("bad-file", (folder) => {
    copySamples(folder);
    const whole = readFileSync(join(folder, "digits_mlp.safetensors"));
    writeFileSync(join(folder, BROKEN), whole.subarray(0, whole.length - 1000));
  });

  it("is answered with a sentence that says what is wrong and what to do", async () => {
    const report = await window().analyzeFromExplorer(BROKEN);
    const notice = report.getByRole("alert");
    await notice.waitFor();
    // VS Code shows the frame of a page some moments after the page has drawn itself: until then its text counts as hidden.
    await expect.poll(() => notice.innerText(), { timeout: 30_000 }).toContain(BROKEN);
    await window().shot("fault");
    expect(await notice.innerText()).toMatch(/\d/);
    expect(await notice.getByRole("button", { name: "Try again" }).isVisible()).toBe(true);
  });

  it("is read once it is whole", async () => {
    const { folder } = window().place;
    writeFileSync(join(folder, BROKEN), readFileSync(join(folder, "digits_mlp.safetensors")));
    const report = window().report();
    await report.getByRole("button", { name: "Try again" }).click();
    await report.getByRole("button", { name: "Analyze" }).click();
    await allMeasured(report);
    await window().shot("whole");
  });
});
