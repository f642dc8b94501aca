import { describe, expect, it } from "vitest";
import { exportReport, type ReportData } from "../../src/engine/export";
import type { LayerRow } from "../../src/shared/report";
import { doneRow, failedRow, pendingRow } from "./support/rows";

const HOSTILE = [
  'comma, "quote"\nnew line', "=cmd|' /C calc'!A0", "a|b`c`<img src=x onerror=alert(1)>", "back\\|slash", "*bold* _it_ [x](javascript:1)",
  "\u001b[31mred\u001b[0m", "right\u202eleft", "", " ", "\r\n", "日本語.weight",
];

function report(rows: readonly LayerRow[]): ReportData {
  return {
    summary: { path: "/models/m|x.onnx", format: "onnx", parameters: 1234, bytes: 2048, tensors: 9, notes: ["producer <b>x</b>"] },
    rows,
    skipped: [{ name: "bias", shape: [4], dtype: "f32", reason: "one axis" }, { name: "norm", shape: [4], dtype: "f32", reason: "one axis" }],
    timing: () => ({ totalMs: 3, readMs: 1, computeMs: 2 }),
    spectrum: (id) => Float64Array.of(2 + id, 1),
  };
}

const mixed = [doneRow(0, { name: "a" }), failedRow(1, "b (q) holds 3 NaN.", { name: "b", part: "q" }), pendingRow(2, { name: "c" })];

describe("JSON", () => {
  interface Parsed { layers: Record<string, unknown>[]; skipped: { name: string; reason: string }[] }
  const json = (rows: readonly LayerRow[], spectrum = false) => JSON.parse(exportReport(report(rows), "json", spectrum)) as Parsed;

  it("has every key of the schema", () => {
    const parsed = json(mixed, true);
    expect(parsed).toMatchObject({
      schema: "ranklens.analysis/1",
      model: { path: "/models/m|x.onnx", format: "onnx", parameters: 1234, bytes: 2048, tensors: 9 },
      timing: { totalMs: 3, readMs: 1, computeMs: 2 },
    });
    expect(Object.keys(parsed.layers[0] ?? {})).toEqual(expect.arrayContaining([
      "name", "kind", "shape", "dtype", "parameters", "matrix", "unfolding", "part", "frobeniusNorm", "spectralNorm", "nuclearNorm", "stableRank",
      "effectiveRank", "participationRatio", "numericalRank", "energyRank", "conditionNumber", "hardThresholdRank", "breakEvenRank", "exact",
      "relativeError", "singularValues", "ms",
    ]));
    expect(parsed.layers[0]).toMatchObject({ energyRank: { "0.9": 2, "0.95": 2, "0.99": 2 }, singularValues: [2, 1] });
    expect(json(mixed).layers[0]).not.toHaveProperty("singularValues");
  });

  it("names what has no measures, with part and reason", () => {
    expect(json(mixed).skipped.map(({ name, reason }) => [name, reason])).toEqual([
      ["b (q)", "b (q) holds 3 NaN."], ["c", "not analyzed yet"], ["bias", "one axis"], ["norm", "one axis"],
    ]);
  });

  it("carries any name unchanged, and an infinite condition number as null", () => {
    const parsed = json(HOSTILE.map((name, id) => doneRow(id, { name }, { conditionNumber: null })));
    expect(parsed.layers.map(({ name }) => name)).toEqual(HOSTILE);
    expect(parsed.layers[0]?.["conditionNumber"]).toBeNull();
  });

  it("is well-formed for a model without layers", () => {
    expect(json([]).layers).toEqual([]);
  });
});

/** RFC 4180, written for this test: fields in quotes may hold commas, line ends and doubled quotes. */
function parseCsv(text: string): string[][] {
  const lines: string[][] = [[]];
  for (let at = 0; at < text.length;) {
    const quoted = /^"((?:[^"]|"")*)"(,|\r\n|$)/.exec(text.slice(at));
    const match = quoted ?? /^([^,\r\n"]*)(,|\r\n|$)/.exec(text.slice(at));
    if (match === null) throw new Error(`not RFC 4180 at ${at}: ${text.slice(at, at + 40)}`);
    lines.at(-1)?.push(quoted === null ? (match[1] ?? "") : (match[1] ?? "").replaceAll('""', '"'));
    at += match[0].length;
    if (match[2] === "\r\n" && at < text.length) lines.push([]);
  }
  return lines;
}

describe("CSV", () => {
  it("is RFC 4180 whatever the names are, one line a matrix, all of one length", () => {
    const lines = parseCsv(exportReport(report(HOSTILE.map((name, id) => doneRow(id, { name }))), "csv", false));
    expect(new Set(lines.map(({ length }) => length)).size).toBe(1);
    expect(lines[0]?.slice(0, 3)).toEqual(["name", "part", "unfolding"]);
    const names = lines.slice(1).map(([name]) => name);
    // A formula gets an apostrophe, so that a spreadsheet shows it instead of running it.
    expect(names).toEqual(HOSTILE.map((name) => (/^[=\r]/.test(name) ? `'${name}` : name)));
  });

  it("keeps failed and pending matrices with state and reason", () => {
    const [head = [], ...lines] = parseCsv(exportReport(report(mixed), "csv", false));
    const state = head.indexOf("state");
    expect(lines.map((cells) => [cells[state], cells[state + 1]])).toEqual([["done", ""], ["failed", "b (q) holds 3 NaN."], ["pending", ""]]);
  });

  it("says inf for an infinite condition number", () => {
    const [head = [], line = []] = parseCsv(exportReport(report([doneRow(0, {}, { conditionNumber: null })]), "csv", false));
    expect(line[head.indexOf("conditionNumber")]).toBe("inf");
  });
});

describe("Markdown", () => {
  const markdown = (rows: readonly LayerRow[]) => exportReport(report(rows), "markdown", false);

  it("has the ranks first, a line for each part under its layer, and what was not measured by reason", () => {
    const text = markdown([...mixed, doneRow(3, { name: "p", part: "k" }), doneRow(4, { name: "p", part: "v" })]);
    expect(text).toContain("| Layer | Kind | Matrix | K | Effective rank | Stable rank |");
    expect(text).toContain("| `p` (mean of 2 parts) | linear | 2 × 2 | 2 | 1.89 | 1.25 |");
    expect(text).toContain("| ↳ `v` |");
    expect(text).toContain("- 2 × one axis: `bias`, `norm`");
    // The sentence names the layer: once is enough.
    expect(text).toMatch(/- 1 × b \(q\) holds 3 NaN\.$/m);
  });

  it("lets no name break the table or become markup", () => {
    const text = markdown(HOSTILE.map((name, id) => doneRow(id, { name })));
    const cells = text.split("\n").filter((line) => line.startsWith("|"));
    expect(cells).toHaveLength(2 + HOSTILE.length);
    for (const line of cells) expect(line.match(/\|/g)).toHaveLength(11);
    expect(text).not.toMatch(/<(?!\/?code>)/);
    // Control characters, ours apart, would be the file's.
    expect([...text].filter((character) => character < " " && character !== "\n")).toEqual([]);
    expect(text).not.toContain("\u202e");
    expect(text).toContain("<code>日本語.weight</code>");
  });
});
