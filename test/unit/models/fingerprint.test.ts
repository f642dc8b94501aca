import { closeSync, mkdirSync, openSync, renameSync, rmSync, utimesSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fingerprint } from "../../../src/models/fingerprint";
import { folder } from "../support/folders";

const MEBIBYTE = 2 ** 20;

/** A file with a fixed time, so that only what a test changes can differ. */
function made(path: string, content: Uint8Array | string): string {
  writeFileSync(path, content);
  utimesSync(path, 1000, 1000);
  return path;
}

/** Overwrites bytes in place and sets the time back. */
function edited(path: string, offset: number, bytes: Uint8Array): void {
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
  utimesSync(path, 1000, 1000);
}

describe("the fingerprint of a model", () => {
  it("stays when its folder is renamed, and changes with name, size, time, content and further files", async () => {
    const base = folder();
    mkdirSync(join(base, "a"));
    const path = made(join(base, "a/model.onnx"), "weights");
    const prints = [await fingerprint([path])];
    renameSync(join(base, "a"), join(base, "b"));
    const moved = join(base, "b/model.onnx");
    expect(await fingerprint([moved])).toBe(prints[0]);
    prints.push(await fingerprint([made(join(base, "b/other.onnx"), "weights")]));
    prints.push(await fingerprint([made(moved, "weights!")]));
    prints.push(await fingerprint([made(moved, "Weights")]));
    made(moved, "weights");
    utimesSync(moved, 1000, 2000);
    prints.push(await fingerprint([moved]));
    utimesSync(moved, 1000, 1000);
    expect(await fingerprint([moved])).toBe(prints[0]);
    prints.push(await fingerprint([moved, made(join(base, "data"), "")]), await fingerprint([moved, made(join(base, "data"), "x")]));
    rmSync(join(base, "data"));
    prints.push(await fingerprint([moved, join(base, "data")]));
    expect(new Set(prints).size).toBe(prints.length);
  });

  it("sees an edit in the first 512 KiB, the last 64 KiB, and any edit as long as a sixteenth of the rest", async () => {
    const size = 16 * MEBIBYTE;
    const path = made(join(folder(), "model.onnx"), new Uint8Array(size));
    const original = await fingerprint([path]);
    for (const [offset, length] of [[0, 1], [512 * 1024 - 1, 1], [size - 64 * 1024, 1], [size - 1, 1], [3 * MEBIBYTE + 5, MEBIBYTE + 8192], [9 * MEBIBYTE, MEBIBYTE + 8192]] as const) {
      edited(path, offset, new Uint8Array(length).fill(1));
      expect(await fingerprint([path])).not.toBe(original);
      edited(path, offset, new Uint8Array(length));
      expect(await fingerprint([path])).toBe(original);
    }
  });

  it("sees every byte of a small file", async () => {
    const path = made(join(folder(), "model.onnx"), new Uint8Array(700 * 1024));
    const original = await fingerprint([path]);
    for (let offset = 0; offset < 700 * 1024; offset += 40_000) {
      edited(path, offset, Uint8Array.of(1));
      expect(await fingerprint([path])).not.toBe(original);
      edited(path, offset, Uint8Array.of(0));
    }
  });
});
