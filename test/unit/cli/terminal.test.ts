import { describe, expect, it } from "vitest";
import { defaultCacheFolder } from "../../../src/cli/cacheFolder";
import { layerTable } from "../../../src/cli/layerTable";
import { progressLine } from "../../../src/cli/progressBar";
import { selectLayers } from "../../../src/cli/selectLayers";
import type { ReportData } from "../../../src/engine/export";
import type { LayerRow, Progress } from "../../../src/shared/report";
import { doneRow, failedRow, pendingRow } from "../../engine/support/rows";

describe("--layers", () => {
  const rows = ["model.layers.0.self_attn.q_proj.weight", "model.layers.1.mlp.up_proj.weight", "/conv1/Conv[0]"].map((name, id) => pendingRow(id, { name }));
  const chosen = (...patterns: string[]) => rows.filter(({ id }) => selectLayers(rows, patterns)(id)).map(({ id }) => id);

  it("takes all without a pattern", () => expect(chosen()).toEqual([0, 1, 2]));
  it("lets * cross dots and slashes", () => {
    expect(chosen("*q_proj*")).toEqual([0]);
    expect(chosen("*Conv*")).toEqual([2]);
    expect(chosen("model.layers.{0,1}.*")).toEqual([0, 1]);
  });
  it("joins several patterns, and takes a name as it is", () => expect(chosen("*mlp*", "/conv1/Conv[0]")).toEqual([1, 2]));
  it("names close ones when nothing matches", () => {
    expect(() => chosen("*.q_porj.*")).toThrow(expect.objectContaining({ code: "not-found", next: expect.stringContaining("q_proj") as string }) as Error);
  });
});

describe("the progress line", () => {
  const progress: Progress = { path: "/m", state: "running", done: 3, failed: 1, total: 8, estimated: 0, current: ["model.layers.3.mlp.up_proj.weight"], elapsedMs: 1, etaMs: 65_000, ahead: 0, fault: null };
  it("has a bar, counts, what is left and the layer", () => {
    expect(progressLine(progress, 100)).toBe("██████████░░░░░░░░░░ 4/8 · 1 failed · 1 min 5 s left · model.layers.3.mlp.up_proj.weight");
  });
  it("fits any width, and keeps the end of the name", () => {
    for (let width = 1; width < 120; width++) expect(progressLine(progress, width).length).toBeLessThanOrEqual(width);
    expect(progressLine(progress, 70)).toMatch(/…\S*proj\.weight$/);
  });
  it("passes no control character of a name on to the terminal", () => {
    expect(progressLine({ ...progress, current: ["\u001b]0;owned\u0007"] }, 100)).not.toMatch(/\p{Cc}/u);
  });
});

describe("the table", () => {
  const data = (rows: readonly LayerRow[]): ReportData => ({
    summary: { path: "/models/net.onnx", format: "onnx", parameters: 656_000, bytes: 2_700_000, tensors: 30, notes: [] },
    rows,
    skipped: ["a.bias", "b.bias"].map((name) => ({ name, shape: [4], dtype: "f32", reason: "one axis" })),
    timing: () => ({ totalMs: 2000, readMs: 100, computeMs: 1900 }),
    spectrum: () => [],
  });
  const rows = [
    doneRow(0, { name: "model.layers.0.self_attn.q_proj.weight", matrix: [64, 32] }, { utilization: 0.25 }),
    doneRow(1, { name: "lstm.W", part: "gate:i" }), doneRow(2, { name: "lstm.W", part: "gate:f" }),
    failedRow(3, "bad holds NaN.", { name: "bad" }),
  ];
  const plain = { columns: Infinity, color: false, parts: false, computed: true };

  it("shows effective and stable rank beside K, and folds parts", () => {
    const text = layerTable(data(rows), plain);
    expect(text).toMatch(/Layer +Kind +Matrix +Effective +Stable +K +Utilization/);
    expect(text).toMatch(/q_proj\.weight +linear +64 × 32 +1\.89 +1\.25 +32 +███░░░░░░░ +25 %/);
    expect(text).toMatch(/lstm\.W \(mean of 2\)/);
    expect(text).not.toContain("gate:f");
    expect(text).toMatch(/bad +linear +2 × 2 +failed/);
    expect(text).toContain("    2  one axis: a.bias, b.bias");
    // The sentence names the layer: once is enough.
    expect(text).toMatch(/^ {4}1 {2}bad holds NaN$/m);
  });

  it("opens parts on request", () => expect(layerTable(data(rows), { ...plain, parts: true })).toMatch(/lstm\.W .*\n {2}gate:i .*\n {2}gate:f /));

  it("fits the terminal's width by leaving out columns and shortening names, never the ranks", () => {
    for (const columns of [40, 60, 80, 100, 120]) {
      const table = layerTable(data(rows), { ...plain, columns }).split("\n").slice(3, 7);
      for (const line of table) expect(line.length).toBeLessThanOrEqual(Math.max(columns, 52));
      expect(table[0]).toMatch(/Effective +Stable +K/);
    }
  });

  it("uses colour only when asked to", () => {
    expect(layerTable(data(rows), plain)).not.toContain("\u001b");
    expect(layerTable(data(rows), { ...plain, color: true })).toContain("\u001b[");
  });

  it("passes no control character of a name on to the terminal", () => {
    const text = layerTable(data([doneRow(0, { name: "\u001b[2Jgone\r" })]), plain);
    expect(text).toContain("\\u{1b}[2Jgone\\u{d}");
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });
});

describe("the cache folder of the terminal", () => {
  it("is the platform's", () => {
    expect(defaultCacheFolder("linux", {}, "/home/u")).toBe("/home/u/.cache/ranklens");
    expect(defaultCacheFolder("linux", { XDG_CACHE_HOME: "/x" }, "/home/u")).toBe("/x/ranklens");
    expect(defaultCacheFolder("linux", { XDG_CACHE_HOME: "relative" }, "/home/u")).toBe("/home/u/.cache/ranklens");
    expect(defaultCacheFolder("darwin", {}, "/Users/u")).toBe("/Users/u/Library/Caches/ranklens");
    expect(defaultCacheFolder("win32", { LOCALAPPDATA: "/local" }, "/u")).toBe("/local/ranklens");
    expect(defaultCacheFolder("linux", {}, "")).toBeNull();
  });
});
