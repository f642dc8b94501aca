import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { gguf } from "../../src/models/gguf/format";
import { DEFAULT_OPEN_OPTIONS, type Values } from "../../src/models/model";
import { ggufFile } from "../unit/gguf/ggufFile";
import { describeWithModels, modelFiles, MODELS } from "./models";

/** Against a reader in Python that was written from the format's description: every tensor, bit for bit. */
const SCRIPT = join(import.meta.dirname, "gguf_tensors.py");

interface Reference {
  readonly name: string;
  readonly shape: readonly number[];
  /** SHA-256 of the values; null where the script does not know the type. */
  readonly sha: string | null;
}

const folder = mkdtempSync(join(tmpdir(), "ranklens-gguf-reference-"));
afterAll(() => { rmSync(folder, { recursive: true }); });

const sha = (values: Values) => createHash("sha256").update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest("hex");

async function compare(path: string): Promise<number> {
  const reference = JSON.parse(execFileSync("/usr/bin/python3", [SCRIPT, path], { encoding: "utf8", maxBuffer: 2 ** 26 })) as Reference[];
  const expected = new Map(reference.map((tensor) => [tensor.name, tensor]));
  const model = await gguf.open(path, { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 });
  try {
    const listed = [...model.layers.map(({ tensor }) => tensor), ...model.skipped].map(({ name, shape }) => `${name} [${shape.join(", ")}]`);
    expect(listed.sort()).toEqual(reference.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).sort());
    for (const { tensor } of model.layers) expect([tensor.name, sha(await model.read(tensor))]).toEqual([tensor.name, expected.get(tensor.name)!.sha]);
    return model.layers.length;
  } finally {
    await model.close();
  }
}

const files = modelFiles(/\.gguf$/);

describeWithModels("every GGUF model at hand", files, () => {
  it.each(files)("%s: has the tensors and the values that Python reads", async (file) => {
    expect(await compare(join(MODELS, file))).toBe(37);
  });
});

describe("a model of our own making", () => {
  /** Finite scales: their highest exponent bit is clear. */
  const block = (bytes: number, scales: readonly number[], seed: number) =>
    Uint8Array.from({ length: bytes }, (_, at) => (scales.includes(at) ? 0xbf : 0xff) & (Math.imul(at + 1, 2654435761 + seed) >>> 13));
  const blocks = (count: number, bytes: number, scales: readonly number[]) => Buffer.concat(Array.from({ length: count }, (_, seed) => block(bytes, scales, seed * 77)));

  it("has the values that Python reads in q4_0, q8_0, q4_k, q6_k and the plain types", async () => {
    const tensors = [
      ["q4_0", 2, [64, 8], blocks(16, 18, [1])], ["q8_0", 8, [64, 8], blocks(16, 34, [1])], ["q4_k", 12, [512, 8], blocks(16, 144, [1, 3])], ["q6_k", 14, [512, 8], blocks(16, 210, [209])],
      ["float16", 1, [16, 8], blocks(16, 16, [1, 3, 5, 7, 9, 11, 13, 15])], ["bfloat16", 30, [16, 8], blocks(16, 16, [1, 3, 5, 7, 9, 11, 13, 15])], ["float64", 28, [4, 8], blocks(32, 8, [7])],
    ] as const;
    const path = join(folder, "made.gguf");
    writeFileSync(path, ggufFile({ tensors: tensors.map(([name, type, dims, data]) => ({ name: `${name}.weight`, type, dims, data })) }));
    expect(await compare(path)).toBe(tensors.length);
  });
});
