import { describe, expect, it } from "vitest";
import type { RowsQuery, SortKey } from "../../src/shared/protocol";
import { modelBadge, modelMap } from "../../src/engine/map";
import { rowsPage } from "../../src/engine/table";
import { doneRow, failedRow, pendingRow } from "./support/rows";

const query = (changes: Partial<RowsQuery> = {}): RowsQuery => ({ start: 0, end: 100, sort: { key: "model", descending: false }, filter: "", open: [], ...changes });
const sorted = (key: SortKey, descending = false): Partial<RowsQuery> => ({ sort: { key, descending } });
const gate = (id: number, part: string, effectiveRank: number) => doneRow(id, { name: "lstm.W", kind: "lstm", part }, { effectiveRank, stableRank: effectiveRank / 2 });

const rows = [
  doneRow(0, { name: "layers.10.q" }, { effectiveRank: 5 }),
  doneRow(1, { name: "layers.2.qkv", part: null }, { effectiveRank: 9 }),
  doneRow(2, { name: "layers.2.qkv", part: "q" }, { effectiveRank: 1 }),
  doneRow(3, { name: "layers.2.qkv", part: "k" }, { effectiveRank: 2 }),
  gate(4, "gate:i", 2), gate(5, "gate:f", 5),
  pendingRow(6, { name: "later" }),
  failedRow(7, "later2 holds NaN.", { name: "later2" }),
];
const names = (changes: Partial<RowsQuery>): string[] => rowsPage(rows, query(changes)).lines.map(({ row, depth }) => (depth === 1 ? `  ${row.part ?? ""}` : row.name));

describe("the table's lines", () => {
  it("fold a layer's further matrices under its main one", () => {
    const page = rowsPage(rows, query());
    expect(page).toMatchObject({ total: 5, layers: 5 });
    expect(page.lines[1]).toMatchObject({ depth: 0, children: 2, expanded: false, mean: false, row: { id: 1, part: null } });
    expect(names({ open: ["layers.2.qkv"] })).toEqual(["layers.10.q", "layers.2.qkv", "  q", "  k", "lstm.W", "later", "later2"]);
  });

  it("stand for a layer of parts by the means over them, integers too", () => {
    const line = rowsPage(rows, query()).lines[2];
    expect(line).toMatchObject({ depth: 0, children: 2, mean: true });
    expect(line?.row).toMatchObject({ id: 4, part: null, parameters: 8, state: "done", measures: { effectiveRank: 3.5, stableRank: 1.75, numericalRank: 2 } });
    expect(line?.row.notes[0]).toBe("mean of 2 parts");
  });

  it("give means only when all parts are settled, and over those that are done", () => {
    const half = [gate(0, "gate:i", 2), pendingRow(1, { name: "lstm.W", part: "gate:f" })];
    expect(rowsPage(half, query()).lines[0]?.row).toMatchObject({ state: "computing", measures: null });
    const failed = [gate(0, "gate:i", 2), failedRow(1, "NaN.", { name: "lstm.W", part: "gate:f" })];
    expect(rowsPage(failed, query()).lines[0]?.row).toMatchObject({ state: "done", measures: { effectiveRank: 2 }, notes: ["mean of 1 of 2 parts"] });
  });

  it("sort by a measure with what has none last, both ways", () => {
    expect(names(sorted("effectiveRank"))).toEqual(["lstm.W", "layers.10.q", "layers.2.qkv", "later", "later2"]);
    expect(names(sorted("effectiveRank", true))).toEqual(["layers.2.qkv", "layers.10.q", "lstm.W", "later", "later2"]);
  });

  it("sort names as people count, and the model's order backwards", () => {
    expect(names(sorted("name"))).toEqual(["later", "later2", "layers.2.qkv", "layers.10.q", "lstm.W"]);
    expect(names(sorted("model", true))).toEqual(["later2", "later", "lstm.W", "layers.2.qkv", "layers.10.q"]);
  });

  it("sort an infinite condition number as the largest", () => {
    const two = [doneRow(0, { name: "infinite" }, { conditionNumber: null }), doneRow(1, { name: "finite" }, { conditionNumber: 10 }), pendingRow(2, { name: "none" })];
    const order = (descending: boolean) => rowsPage(two, query(sorted("conditionNumber", descending))).lines.map(({ row }) => row.name);
    expect(order(true)).toEqual(["infinite", "finite", "none"]);
    expect(order(false)).toEqual(["finite", "infinite", "none"]);
  });

  it("filter by all words, in parts too", () => {
    expect(names({ filter: "LAYERS q" })).toEqual(["layers.10.q", "layers.2.qkv"]);
    expect(names({ filter: "lstm gate:f", open: ["lstm.W"] })).toEqual(["lstm.W", "  gate:f"]);
    expect(names({ filter: "nowhere" })).toEqual([]);
  });

  it("come by pages that join without a gap", () => {
    const open = ["layers.2.qkv", "lstm.W"];
    const all = names({ open });
    const pages = [0, 2, 4, 6, 8, 10].flatMap((start) => names({ open, start, end: start + 2 }));
    expect(pages).toEqual(all);
    expect(rowsPage(rows, query({ open, start: 3, end: 5 })).total).toBe(all.length);
  });

  it("find the line of a row through sort, filter and folding, without being fetched", () => {
    const located = (locate: number, changes: Partial<RowsQuery> = {}) => rowsPage(rows, query({ start: 0, end: 0, locate, ...changes }));
    expect(located(6)).toMatchObject({ lines: [], located: 3 });
    expect(located(6, { open: ["layers.2.qkv"] }).located).toBe(5);
    expect(located(3, { open: ["layers.2.qkv"] }).located).toBe(3);
    expect(located(3).located).toBe(1);
    expect(located(0, sorted("effectiveRank", true)).located).toBe(1);
    expect(located(0, { filter: "lstm" }).located).toBeNull();
    expect(rowsPage(rows, query()).located).toBeNull();
  });
});

describe("the model as a picture", () => {
  it("has blocks in natural order, modules as they come, and a strip of the rest", () => {
    const model = [
      doneRow(0, { name: "embed", module: "embed" }, { utilization: 0.5 }),
      ...["layers.0", "layers.10", "layers.2"].flatMap((block, index) =>
        ["up", "down"].map((module, side) => pendingRow(1 + 2 * index + side, { name: `${block}.${module}`, block, module }))),
    ];
    const map = modelMap(model);
    expect(map).toMatchObject({ blocks: ["layers.0", "layers.2", "layers.10"], modules: ["up", "down"] });
    expect(map.strip).toEqual([{ id: 0, name: "embed", block: -1, module: -1, rows: [0], state: "done", utilization: 0.5, parameters: 4 }]);
    expect(map.cells.find(({ name }) => name === "layers.10.down")).toMatchObject({ block: 2, module: 1, utilization: null });
  });

  it("has one cell for the experts of a block, with their mean", () => {
    const expert = (id: number, block: string, number: number, utilization: number) =>
      doneRow(id, { name: `${block}.mlp.experts.${number}.w1.weight`, block, module: `mlp.experts.${number}.w1` }, { utilization });
    const map = modelMap([expert(0, "layers.0", 0, 0.2), expert(1, "layers.0", 1, 0.4), expert(2, "layers.1", 0, 0.6), pendingRow(3, { name: "layers.1.mlp.experts.1.w1.weight", block: "layers.1", module: "mlp.experts.1.w1" })]);
    expect(map.modules).toEqual(["mlp.experts.*.w1"]);
    expect(map.cells).toEqual([
      { id: 0, name: "layers.0.mlp.experts.*.w1.weight", block: 0, module: 0, rows: [0, 1], state: "done", utilization: expect.closeTo(0.3, 12) as number, parameters: 8 },
      { id: 2, name: "layers.1.mlp.experts.*.w1.weight", block: 1, module: 0, rows: [2, 3], state: "pending", utilization: null, parameters: 8 },
    ]);
  });

  it("tells what could not be measured from what is not measured yet", () => {
    const { strip } = modelMap([failedRow(0, "NaN."), pendingRow(1), doneRow(2, {}, { utilization: 0.5 })]);
    expect(strip.map(({ state, utilization }) => [state, utilization])).toEqual([["failed", null], ["pending", null], ["done", 0.5]]);
  });

  it("is a strip where nothing repeats", () => {
    expect(modelMap([pendingRow(0, { block: "layers.0" }), pendingRow(1)])).toMatchObject({ blocks: [], cells: [], strip: [{ id: 0 }, { id: 1 }] });
  });
});

describe("the badge", () => {
  const summary = { path: "/m", format: "onnx", parameters: 8, bytes: 1, tensors: 2, notes: [] };
  it("is the mean over layers, each counting once, and null while rows are missing", () => {
    const layers = [doneRow(0, {}, { utilization: 0.2 }), doneRow(1, { name: "p", part: "a" }, { utilization: 0.5 }), doneRow(2, { name: "p", part: "b" }, { utilization: 0.7 })];
    expect(modelBadge(summary, layers).meanUtilization).toBeCloseTo(0.4, 12);
    expect(modelBadge(summary, [...layers, failedRow(3, "NaN.")]).meanUtilization).toBeCloseTo(0.4, 12);
    expect(modelBadge(summary, [...layers, pendingRow(3)]).meanUtilization).toBeNull();
  });
});
