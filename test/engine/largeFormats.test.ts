import { expect, it } from "vitest";
import { bytesByRows } from "../../src/engine/memory";
import { enginesOfTest } from "./support/enginesOfTest";
import { COLUMNS, LARGE_FILES, LARGE_SPARSE_FILES, LEVELS, ROWS } from "./support/largeFiles";
import { peakOf } from "./support/peak";

const here = enginesOfTest();
/** Fifty million values take some seconds, and far longer on a loaded machine. */
const LARGE_MS = 300_000;

it.each([...LARGE_FILES, ...LARGE_SPARSE_FILES])("A matrix of more values than are held in memory is measured exactly and within its bound in %s", async (_what, dtype, write) => {
  const engine = here.start({ threads: 1 });
  const path = write(here.path);
  await engine.client.request("analyze", { path });
  const { lines } = await engine.client.request("rows", { path, start: 0, end: 9, sort: { key: "model", descending: false }, filter: "", open: [] });
  const [row] = lines.map((line) => line.row);
  expect([row?.dtype, row?.fault]).toEqual([dtype, null]);
  expect(row!.measures!.spectralNorm / Math.max(...LEVELS)).toBeCloseTo(1, 10);
  expect(row!.measures!.nuclearNorm / ((COLUMNS / LEVELS.length) * LEVELS.reduce((sum, level) => sum + level, 0))).toBeCloseTo(1, 10);
  expect(row!.measures!.frobeniusNorm / Math.sqrt((COLUMNS / LEVELS.length) * LEVELS.reduce((sum, level) => sum + level ** 2, 0))).toBeCloseTo(1, 10);
  expect(peakOf(engine)).toBeLessThan(bytesByRows([ROWS, COLUMNS], dtype));
}, LARGE_MS);
