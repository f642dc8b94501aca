import { describe, expect, it } from "vitest";
import { journey } from "./support/journey";
import { allMeasured } from "./support/reportPage";
import { copySamples } from "./support/workspace";

describe("the Models view", () => {
  const window = journey("models", copySamples);
  const model = (name: string) => window().page.getByRole("tree", { name: "Models" }).getByRole("treeitem").filter({ hasText: name });

  it("lists the workspace's models with their format and size", async () => {
    await window().page.getByRole("tab", { name: "RankLens" }).click();
    await model("digits_cnn.onnx").filter({ hasText: /ONNX · [\d.]+ k/ }).waitFor();
    await model("digits_mlp.safetensors").filter({ hasText: /safetensors · [\d.]+ k/ }).waitFor();
    await window().shot("listed");
  });

  it("opens a model's report by a click, and analyzes by the button beside it", async () => {
    await model("digits_mlp.safetensors").click();
    const report = window().report();
    await report.getByText("Not analyzed yet.").waitFor();
    await model("digits_mlp.safetensors").hover();
    await model("digits_mlp.safetensors").getByRole("button", { name: "Analyze Ranks" }).click();
    await allMeasured(report);
  });

  it("shows how much of a model is used once it is known", async () => {
    await model("digits_mlp.safetensors").filter({ hasText: /\d+ % used/ }).waitFor();
    await window().shot("analyzed");
    expect(await model("digits_cnn.onnx").innerText()).not.toContain("used");
  });
});
