import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MapCell, ModelMap, RowsPage, RowsQuery } from "../../src/shared/protocol";
import { scaleGradient, textOn, utilizationColor } from "../../webview/report/map/scale";
import { cellAt, mapLayout, neighbour, positionOf } from "../../webview/report/map/mapLayout";
import { LinePages } from "../../webview/report/table/linePages";
import { Throttle } from "../../webview/components/throttle";
import { pendingRow } from "../engine/support/rows";
import themes from "./support/themes.json";

/** A table of so many lines whose ids count from 0, answered when the test says so. */
function engine(total: number) {
  const open: { readonly query: RowsQuery; readonly answer: (from?: number) => Promise<void>; readonly fail: () => Promise<void> }[] = [];
  const fetch = (query: RowsQuery): Promise<RowsPage> => new Promise((resolve, reject) => {
    const settled = (action: () => void) => async (): Promise<void> => {
      action();
      await new Promise((done) => setTimeout(done, 0));
    };
    open.push({
      query,
      answer: (from = 0) => settled(() => {
        const lines = Array.from({ length: Math.max(0, Math.min(total, query.end) - query.start) }, (_, index) => (
          { row: pendingRow(from + query.start + index), depth: 0 as const, children: 0, expanded: false, mean: false }));
        resolve({ lines, total, layers: total, located: null });
      })(),
      fail: () => settled(() => reject(new Error("gone")))(),
    });
  });
  return { open, fetch };
}
const question = { sort: { key: "model", descending: false }, filter: "", open: [] } as const;

describe("the lines that the page holds", () => {
  it("stay in view until those of the new question are there", async () => {
    const { open, fetch } = engine(100);
    const pages = new LinePages(question, fetch, () => undefined, () => undefined);
    pages.show(0, 30);
    await open[0]!.answer();
    pages.ask({ ...question, filter: "x" });
    expect(pages.line(0)?.row.id).toBe(0);
    await open[1]!.answer(500);
    expect(pages.line(0)?.row.id).toBe(500);
  });

  it("are not overwritten by a late answer to an earlier question", async () => {
    const { open, fetch } = engine(100);
    const pages = new LinePages(question, fetch, () => undefined, () => undefined);
    pages.show(0, 30);
    pages.ask({ ...question, filter: "x" });
    await open[1]!.answer(500);
    await open[0]!.answer();
    expect(pages.line(0)?.row.id).toBe(500);
  });

  it("are asked for once, however often the same place is shown", async () => {
    const { open, fetch } = engine(1000);
    const pages = new LinePages(question, fetch, () => undefined, () => undefined);
    for (let step = 0; step < 5; step++) pages.show(0, 30);
    await open[0]!.answer();
    pages.show(10, 40);
    expect(open).toHaveLength(1);
  });

  it("are bounded, whatever a person scrolls through", async () => {
    const { open, fetch } = engine(100_000);
    const pages = new LinePages(question, fetch, () => undefined, () => undefined);
    for (let start = 0; start < 100_000; start += 640) {
      pages.show(start, start + 30);
      for (const request of open.splice(0)) await request.answer();
    }
    const held = Array.from({ length: 100_000 }, (_, index) => pages.line(index)).filter((line) => line !== undefined).length;
    expect(held).toBeLessThanOrEqual(40 * 64);
    expect(pages.line(99_840)).toBeDefined();
  });

  it("that do not come are told, and asked for again with the next question", async () => {
    const { open, fetch } = engine(10);
    const faults: unknown[] = [];
    const pages = new LinePages(question, fetch, () => undefined, (error) => faults.push(error));
    pages.show(0, 10);
    await open[0]!.fail();
    expect(faults).toHaveLength(1);
    pages.refresh();
    await open[1]!.answer();
    expect(pages.line(9)?.row.id).toBe(9);
  });
});

describe("refreshing while news come", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is at once, then at most four times a second, and the last news is not lost", () => {
    const run = vi.fn();
    const throttle = new Throttle(run, 250);
    throttle.call();
    expect(run).toHaveBeenCalledTimes(1);
    for (let message = 0; message < 100; message++) {
      throttle.call();
      vi.advanceTimersByTime(10);
    }
    expect(run).toHaveBeenCalledTimes(5);
    throttle.call();
    vi.advanceTimersByTime(1000);
    expect(run).toHaveBeenCalledTimes(6);
  });
});

const channels = (css: string): number[] => (/^#/.test(css) ? [1, 3, 5].map((at) => parseInt(css.slice(at, at + 2), 16)) : css.match(/\d+/g)!.map(Number));
/** Relative luminance and contrast as WCAG 2 defines them. */
function luminance(css: string): number {
  const [r, g, b] = channels(css).map((channel) => (channel / 255 <= 0.04045 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}
const contrast = (a: string, b: string): number => (Math.max(luminance(a), luminance(b)) + 0.05) / (Math.min(luminance(a), luminance(b)) + 0.05);

describe.each(["dark", "light", "highContrast", "highContrastLight"] as const)("the scale of utilization in the %s theme", (theme) => {
  const shares = Array.from({ length: 101 }, (_, percent) => percent / 100);

  it("keeps its order without colour: the more is used, the more it stands out", () => {
    const background = themes[theme].variables["editor-background"];
    const contrasts = shares.map((share) => contrast(utilizationColor(share, theme), background));
    expect(contrasts.every((value, index) => index === 0 || value > contrasts[index - 1]!)).toBe(true);
    expect(contrasts[0]).toBeGreaterThan(2.5);
  });

  it("has figures on it that can be read", () => {
    expect(Math.min(...shares.map((share) => contrast(utilizationColor(share, theme), textOn(share, theme))))).toBeGreaterThan(4.5);
  });

  it("is shown whole in its legend", () => {
    expect(scaleGradient(theme)).toContain(utilizationColor(0, theme).replaceAll("rgb", ""));
    expect(scaleGradient(theme)).toContain(utilizationColor(1, theme).replaceAll("rgb", ""));
  });
});

describe("the layout of the map", () => {
  const cell = (id: number, block: number, module: number, parameters = 100): MapCell => ({ id, name: `cell${id}`, block, module, rows: [id], state: "done", utilization: 0.5, parameters });
  const map: ModelMap = {
    blocks: ["h.0", "h.1", "h.2"], modules: ["up", "down"],
    cells: [cell(1, 0, 0), cell(2, 0, 1), cell(3, 1, 0), cell(4, 2, 0), cell(5, 2, 1)],
    strip: [cell(0, -1, -1, 1000), cell(6, -1, -1, 1_000_000)],
  };
  const layout = mapLayout(map, 900, "others");
  const placed = (id: number) => {
    const { line, at } = positionOf(layout, id)!;
    return layout.lines[line]![at]!;
  };

  it("puts blocks from left to right, modules from top to bottom, the others below", () => {
    expect(placed(3).x).toBeGreaterThan(placed(1).x);
    expect(placed(3).y).toBe(placed(1).y);
    expect(placed(2).y).toBeGreaterThan(placed(1).y);
    expect(placed(0).y).toBeGreaterThan(placed(2).y + placed(2).height);
  });

  it("shows how large other layers are by their height", () => {
    expect(placed(6).height).toBeGreaterThan(placed(0).height);
    expect(placed(6).y + placed(6).height).toBe(placed(0).y + placed(0).height);
  });

  it("has no two cells on one place, and finds each by a point", () => {
    for (const line of layout.lines) {
      for (const { cell: { id }, x, y, width, height } of line) expect(cellAt(layout, x + width / 2, y + height / 2)?.cell.id).toBe(id);
    }
    expect(cellAt(layout, 2, 2)).toBeNull();
  });

  it("leads the arrows over gaps to the nearest cell, and no further than the edge", () => {
    const step = (id: number, key: string) => {
      const next = neighbour(layout, positionOf(layout, id)!, key)!;
      return layout.lines[next.line]![next.at]!.cell.id;
    };
    expect(step(1, "ArrowRight")).toBe(3);
    expect(step(2, "ArrowRight")).toBe(5);
    expect([2, 5]).toContain(step(3, "ArrowDown"));
    expect(step(5, "ArrowDown")).toBe(6);
    expect([step(1, "ArrowUp"), step(1, "ArrowLeft"), step(4, "ArrowRight"), step(6, "ArrowDown")]).toEqual([1, 1, 4, 6]);
  });

  it("keeps an encoder and a decoder apart, each under its name", () => {
    const blocks = ["decoder.0", "decoder.1", "encoder.0", "encoder.1", "encoder.2"];
    const two = mapLayout({ blocks, modules: ["up"], cells: blocks.map((_, block) => cell(block, block, 0)), strip: [] }, 900, "others");
    const xs = two.lines[0]!.map(({ x }) => x);
    const steps = xs.slice(1).map((x, index) => x - xs[index]!);
    expect(steps[1]).toBeGreaterThan(steps[0]!);
    expect([steps[2], steps[3]]).toEqual([steps[0], steps[0]]);
    expect(two.labels.map(({ text }) => text)).toEqual(expect.arrayContaining(["encoder", "decoder", "0", "1", "2"]));
    expect(layout.labels.map(({ text }) => text)).not.toContain("h");
  });

  it("never draws thousands of layers wider than the page: a strip breaks into lines", () => {
    const strip = Array.from({ length: 3000 }, (_, id) => cell(id, -1, -1, id + 1));
    const wrapped = mapLayout({ blocks: [], modules: [], cells: [], strip }, 800, "others");
    expect(wrapped.width).toBeLessThanOrEqual(800);
    expect(wrapped.lines.flat()).toHaveLength(3000);
  });
});
