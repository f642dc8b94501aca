import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AtomicFiles } from "../../../src/factorize/atomic";
import { ready, writeAll } from "../../../src/factorize/source";
import { openSource } from "../../../src/factorize/sources";
import { openModel } from "../../../src/models/formats";
import { DEFAULT_OPEN_OPTIONS } from "../../../src/models/model";
import { file, floatTensor, ggufFile, Writer, type TensorToWrite } from "../gguf/ggufFile";
import { folder } from "../support/folders";

interface Read {
  readonly header: Record<string, { readonly dtype: string; readonly shape: number[]; readonly data_offsets: [number, number] }>;
  bytesOf(name: string): Buffer;
}

/** Writes a model with nothing factorized. @returns the file, taken apart by the format's own description, and what was said */
async function rewritten(path: string, at = folder()): Promise<Read & { notes: readonly string[] }> {
  const model = await openModel(path);
  const source = await openSource(model, DEFAULT_OPEN_OPTIONS, "reconstructed");
  const files = new AtomicFiles();
  const output = join(at, "out.safetensors");
  try {
    await writeAll(source, ready(new Map()), output, files);
    await files.commit();
  } finally {
    await files.discard();
    await Promise.all([source.close(), model.close()]);
  }
  const bytes = readFileSync(output), length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Read["header"];
  return { header, notes: source.notes, bytesOf: (name) => bytes.subarray(...header[name]!.data_offsets.map((end) => 8 + length + end) as [number, number]) };
}

/** Blocks of 32: a float16 scale and 32 signed bytes. */
function quantized(name: string, rows: number, scaleBits: number): TensorToWrite {
  const block = Buffer.alloc(34);
  block.writeUInt16LE(scaleBits);
  for (let i = 0; i < 32; i++) block.writeInt8(4 * i - 64, 2 + i);
  return { name, dims: [32, rows], type: 8, data: Buffer.concat(Array.from({ length: rows }, () => block)) };
}

describe("a GGUF model written as safetensors", () => {
  const integers: TensorToWrite = { name: "ids", dims: [3], type: 26, data: Buffer.from(Int32Array.of(7, -8, 9).buffer) };
  // 0x2e00 is 0.09375, so that every value is exact in float16.
  const model = () => ggufFile({ tensors: [quantized("blk.0.ffn_up.weight", 2, 0x2e00), floatTensor("blk.0.attn_q.weight", [4, 6]), integers] });

  it("has plain tensors as they were and quantized ones as float16, and says so", async () => {
    const { header, bytesOf, notes } = await rewritten(file(model()));
    expect(header["blk.0.attn_q.weight"]).toMatchObject({ dtype: "F32", shape: [4, 6] });
    expect([...new Float32Array(new Uint8Array(bytesOf("blk.0.attn_q.weight")).buffer)]).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
    expect([...new Int32Array(new Uint8Array(bytesOf("ids")).buffer)]).toEqual([7, -8, 9]);
    expect(header["blk.0.ffn_up.weight"]).toMatchObject({ dtype: "F16", shape: [2, 32] });
    const halves = new Uint16Array(new Uint8Array(bytesOf("blk.0.ffn_up.weight")).buffer);
    expect([...halves.subarray(32)].map(float16)).toEqual(Array.from({ length: 32 }, (_, index) => 0.09375 * (4 * index - 64)));
    expect(notes[0]).toMatch(/^1 quantized tensor \(q8_0\) is written as float16: .*may be larger than the original$/);
  });

  it("begins each tensor at a multiple of the size of its numbers", async () => {
    const { header } = await rewritten(file(model()));
    const sizes: Record<string, number> = { F32: 4, I32: 4, F16: 2 };
    for (const { dtype, data_offsets: [begin] } of Object.values(header)) expect(begin % sizes[dtype]!).toBe(0);
  });

  it("is a fault where float16 cannot hold a value, with nothing left behind", async () => {
    const at = folder();
    // 0x7bff is 65504, the largest float16.
    await expect(rewritten(file(ggufFile({ tensors: [quantized("big.weight", 1, 0x7bff)] })), at)).rejects.toThrow(/Tensor big\.weight holds values beyond 65504/);
    expect(() => readFileSync(join(at, "out.safetensors"))).toThrow(/ENOENT/);
  });

  it("of a big-endian machine has the same bytes as its twin", async () => {
    const tensors = (bigEndian: boolean) => [floatTensor("blk.0.attn_q.weight", [4, 6], bigEndian), { ...integers, data: bigEndian ? Buffer.from(integers.data).swap32() : integers.data }];
    const [little, big] = [await rewritten(file(ggufFile({ tensors: tensors(false) }))), await rewritten(file(ggufFile({ bigEndian: true, metadata: [new Writer(true).entry("x", 4, new Writer(true).u32(1))], tensors: tensors(true) })))];
    for (const name of ["blk.0.attn_q.weight", "ids"]) expect(big.bytesOf(name).equals(little.bytesOf(name))).toBe(true);
  });
});

describe("what cannot be written whole", () => {
  it("is a fault that names the tensor", async () => {
    const path = file(ggufFile({ tensors: [{ name: "odd.weight", dims: [32], type: 99, data: Buffer.alloc(64) }] }));
    await expect(rewritten(path)).rejects.toThrow(/Tensor odd\.weight is .* which RankLens does not read/);
  });
});

/** IEEE 754 binary16 of normal numbers and zero. */
function float16(bits: number): number {
  const exponent = (bits >> 10) & 31, fraction = bits & 1023;
  return (bits & 0x8000 ? -1 : 1) * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
