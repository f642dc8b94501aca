import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { LayerRow } from "../../src/shared/report";
import { bytesByRows, bytesOfWhole } from "../../src/engine/memory";
import { enginesOfTest } from "./support/enginesOfTest";
import { writeModel } from "./support/modelFiles";
import { peakOf } from "./support/peak";
import type { WatchedEngine } from "./support/watchedEngine";

const here = enginesOfTest();
/** Fifty million values take some seconds, and far longer on a loaded machine. */
const LARGE_MS = 300_000;

/** Codes of float8_e4m3fn, and what they are. */
const CODES = [[0x30, 0.5], [0x38, 1], [0x3c, 1.5], [0x40, 2]] as const;
const NAN = 0x7f;

/** A file of one float8 tensor that is zero but for the places that `fill` writes. */
function writeFloat8(shape: readonly number[], fill: (codes: Uint8Array) => void): string {
  const size = shape.reduce((product, axis) => product * axis, 1);
  const header = JSON.stringify({ "experts.w1": { dtype: "F8_E4M3", shape, data_offsets: [0, size] } });
  const text = Buffer.from(header.padEnd(Math.ceil(header.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const codes = new Uint8Array(size);
  fill(codes);
  const path = join(here.path, "large.safetensors");
  writeFileSync(path, Buffer.concat([length, text, codes]));
  return path;
}

async function rowsAfterAnalysis({ client }: WatchedEngine, path: string): Promise<LayerRow[]> {
  await client.request("analyze", { path });
  const { lines } = await client.request("rows", { path, start: 0, end: 99, sort: { key: "model", descending: false }, filter: "", open: ["experts.w1"] });
  return lines.map(({ row }) => row);
}

describe("an embedding of more values than are held in memory", () => {
  const rows = 102_400;
  const columns = 512;
  const cycle = (codes: Uint8Array): void => {
    for (let i = 0; i < rows; i++) codes[i * columns + (i % columns)] = CODES[i % CODES.length]![0];
  };

  it("has its exact values, though many are equal, in a part of the memory that its values would take", async () => {
    const engine = here.start({ threads: 1 });
    const [row] = await rowsAfterAnalysis(engine, writeFloat8([rows, columns], cycle));
    const times = Math.sqrt(rows / columns);
    expect(row?.first?.stableRank ?? row?.measures?.stableRank).toBeCloseTo((columns * (0.25 + 1 + 2.25 + 4)) / 4 / 4, 6);
    expect(row!.measures!.spectralNorm / (2 * times)).toBeCloseTo(1, 10);
    expect(row!.measures!.nuclearNorm / ((columns / 4) * 5 * times)).toBeCloseTo(1, 10);
    expect(row!.measures!.frobeniusNorm / (Math.sqrt((columns / 4) * 7.5) * times)).toBeCloseTo(1, 10);
    expect(peakOf(engine)).toBeLessThan(bytesByRows([rows, columns], "float8_e4m3fn"));
  }, LARGE_MS);

  it("with a NaN is named, with the rows that hold it", async () => {
    const path = writeFloat8([rows, columns], (codes) => {
      cycle(codes);
      codes[70_000 * columns] = NAN;
    });
    const [row] = await rowsAfterAnalysis(here.start({ threads: 1 }), path);
    expect(row?.state).toBe("failed");
    const [, from, to] = /rows (\d+) to (\d+), holds 1 NaN/.exec(row!.fault!.message)!;
    expect(Number(from)).toBeLessThanOrEqual(70_000);
    expect(Number(to)).toBeGreaterThanOrEqual(70_000);
  }, LARGE_MS);
});

describe("memory that is planned for", () => {
  it("is enough for experts in one tensor, which are read one by one", async () => {
    const [experts, rows, columns] = [4, 102_400, 128];
    const engine = here.start({ threads: 1 });
    const path = writeFloat8([experts, rows, columns], (codes) => {
      // One that is not zero is enough to see whether each gets its own values.
      for (let i = 0; i < rows; i++) codes[(2 * rows + i) * columns + (i % columns)] = CODES[3][0];
    });
    const found = (await rowsAfterAnalysis(engine, path)).filter(({ part }) => part !== null);
    expect(found.map(({ measures }) => Number((measures!.spectralNorm / Math.sqrt(rows / columns)).toFixed(10)))).toEqual([0, 0, 2, 0]);
    expect(peakOf(engine)).toBeLessThan(bytesByRows([rows, columns], "float8_e4m3fn"));
  }, LARGE_MS);

  it.each([[1400, 1400], [700, 2100], [2100, 700]])("is enough for a matrix that float32 blurs, which is computed a second time: %i × %i", async (rows, columns) => {
    const engine = here.start({ threads: 1 });
    const values = new Float32Array(rows * columns);
    for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = 1;
    const path = writeModel(here.path, "m.safetensors", { w: { shape: [rows, columns], values } });
    const [row] = await rowsAfterAnalysis(engine, path);
    expect(row!.measures!.nuclearNorm / Math.min(rows, columns)).toBeCloseTo(1, 12);
    expect(peakOf(engine)).toBeLessThan(bytesOfWhole(rows * columns, [rows, columns], "float32"));
  });
});
