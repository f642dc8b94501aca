import { describe, expect, it } from "vitest";
import type { Progress } from "../../../src/shared/report";
import { modelLook } from "../../../src/vscode/badgeText";
import type { ModelEntry } from "../../../src/vscode/modelGroups";
import { plainText, shortened } from "../../../src/vscode/plainText";
import { endText, progressText, statusLabel, statusText } from "../../../src/vscode/statusText";
import { english } from "./support/english";

const running: Progress = { path: "/w/digits.onnx", state: "running", done: 42, failed: 1, total: 100, estimated: 0, current: ["conv1"], elapsedMs: 9000, etaMs: 80_000, ahead: 0, fault: null };

describe("text that files bring", () => {
  it("draws no icon and makes no link", () => {
    expect(plainText("$(alert) [x](command:evil)")).not.toMatch(/\$\(|\]\(/);
    expect(plainText("a\u202eb\n")).toBe("a\\u{202e}b\\u{a}");
  });
  it("stays as it is otherwise", () => {
    for (const name of ["model (1).onnx", "[final] net.onnx", "cost$.onnx", "模型.onnx"]) expect(plainText(name)).toBe(name);
  });
  it("keeps both ends when it is too long", () => {
    for (let length = 3; length < 30; length++) expect(shortened("checkpoint-100000-of-run-17.safetensors", length)).toHaveLength(length);
    expect(shortened("checkpoint-100000-of-run-17.safetensors", 20)).toBe("checkpoin…afetensors");
    expect(shortened("short.onnx", 20)).toBe("short.onnx");
  });
});

describe("the status bar", () => {
  it("is empty without an analysis", () => expect(statusText([], english)).toBeNull());
  it("names the model, how far, and how long", () => {
    expect(statusText([running], english)).toBe("$(loading~spin) digits.onnx 43 % · 1 min 20 s left");
  });
  it("counts those that wait", () => {
    expect(statusText([running, { ...running, path: "/b.onnx", state: "queued", ahead: 1 }], english)).toMatch(/left \(\+1\)$/);
  });
  it("does not say 100 % while something is left, nor before it knows how much there is", () => {
    expect(progressText({ ...running, done: 999, failed: 0, total: 1000, etaMs: null }, english)).toBe("99 %");
    expect(progressText({ ...running, done: 0, failed: 0, total: 0, etaMs: null }, english)).toBe("0 %");
  });
  it("draws no icon that a file's name asks for", () => {
    expect(statusText([{ ...running, path: "/w/$(bug).onnx" }], english)?.match(/\$\(/g)).toHaveLength(1);
  });
  it("says the same to a screen reader, without icons", () => {
    expect(statusLabel([running], english)).toBe("RankLens: analyzing digits.onnx, 43 % · 1 min 20 s left");
  });
  it("tells at the end what could not be measured", () => {
    expect(endText({ ...running, state: "done", done: 100, failed: 0 }, english)).toBe("Ranks of digits.onnx are ready.");
    expect(endText({ ...running, state: "done", done: 98, failed: 2 }, english)).toContain("2 of 100 matrices could not");
    expect(endText({ ...running, state: "failed" }, english)).toContain("could not be analyzed");
  });
});

describe("a model in the list", () => {
  const model: ModelEntry = { kind: "model", path: "/w/digits.onnx", name: "digits.onnx" };
  const badge = { format: "onnx", parameters: 656_000, meanUtilization: null };

  it("shows nothing before its header is read", () => {
    expect(modelLook(model, { state: "unknown" }, null, english)).toMatchObject({ state: "idle", description: "", label: "digits.onnx", tooltip: "/w/digits.onnx" });
  });
  it("shows how much is used, once that is known, format and size", () => {
    expect(modelLook(model, { state: "known", badge }, null, english)).toMatchObject({ state: "idle", description: "ONNX · 656 k", tooltip: "/w/digits.onnx\nONNX\n656 k parameters\nnot analyzed yet" });
    const done = modelLook(model, { state: "known", badge: { ...badge, meanUtilization: 0.628 } }, null, english);
    expect(done).toMatchObject({ state: "done", icon: "pass", description: "63 % used · ONNX · 656 k", label: "digits.onnx, ONNX, 656 k parameters, mean utilization 63 %" });
  });
  it("shows how far an analysis is, and says it to a screen reader", () => {
    expect(modelLook(model, { state: "known", badge }, running, english)).toMatchObject({
      state: "running",
      icon: "loading~spin",
      description: "43 % · 1 min 20 s left",
      label: "digits.onnx, being analyzed, 43 % · 1 min 20 s left, ONNX, 656 k parameters, not analyzed yet",
    });
  });
  it("says why it cannot be read, and what to do", () => {
    const fault = { code: "truncated", message: "The header ends early.", next: "Download it again." } as const;
    const look = modelLook(model, { state: "fault", fault }, null, english);
    expect(look).toMatchObject({ state: "fault", icon: "error", description: "cannot be read" });
    expect(look.tooltip).toBe("/w/digits.onnx\nThe header ends early.\nDownload it again.");
  });
});
