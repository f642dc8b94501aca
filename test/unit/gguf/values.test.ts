import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Model } from "../../../src/models/model";
import { layer, reason } from "../support/opened";
import { ggufFile, withModel, Writer } from "./ggufFile";

/**
 * Made by ggml itself: its dequantize_row_* functions (src/ggml-quants.c, of August 2026) on the bytes below, compiled without
 * optimizations that change floating-point results; gguf-py 0.19.0 (`gguf.quants.dequantize`) gives the same for all that it knows, which
 * is every type here but q8_k, q1_0 and q2_0. [type, number, values and bytes of a block, places of a scale's high byte, the first
 * half of the SHA-256 of the float32 values of 64 blocks].
 */
const GOLDEN: readonly (readonly [string, number, number, number, readonly number[], string])[] = [
  ["q4_0", 2, 32, 18, [1], "b898027311482795e3b3ec86f2c507c7"],
  ["q4_1", 3, 32, 20, [1, 3], "d85182e3542dad27df10af4ff5cf3885"],
  ["q5_0", 6, 32, 22, [1], "b6f81b395603fa9598b52515cd365058"],
  ["q5_1", 7, 32, 24, [1, 3], "af296a3c3eaba5b00b390bf5aa1eb3cf"],
  ["q8_0", 8, 32, 34, [1], "5cd30fbd5c5638425ca4d93fd54f9940"],
  ["q2_k", 10, 256, 84, [81, 83], "cf016eaa7a2756907febdd6d36568fe6"],
  ["q3_k", 11, 256, 110, [109], "db7d6ecb54fd5d148f9ce7f1f124f7d2"],
  ["q4_k", 12, 256, 144, [1, 3], "31ef4ef4b1ba3983278064e1b2b10cd2"],
  ["q5_k", 13, 256, 176, [1, 3], "c47acdcad141e20b68ebf360b6910a81"],
  ["q6_k", 14, 256, 210, [209], "d9b070473ff7851ad3a30bc804f3424c"],
  ["q8_k", 15, 256, 292, [3], "1d818f173d9b997d2c28f11737d233d1"],
  ["iq2_xxs", 16, 256, 66, [1], "2f33c88f93dd1e485cb35b37eec7e97f"],
  ["iq2_xs", 17, 256, 74, [1], "ced1e4aff64e009d5f3ad87638a9afec"],
  ["iq3_xxs", 18, 256, 98, [1], "ee9fb6ff8ecf52bc7f7fd307ac9c7edf"],
  ["iq1_s", 19, 256, 50, [1], "ad082b24408c308a25c9d2ba54d59a2b"],
  ["iq4_nl", 20, 32, 18, [1], "c6bc9fef3b546b585e8c71ba64184171"],
  ["iq3_s", 21, 256, 110, [1], "be6ef5eba51ed88174e05a2e32e8e1fd"],
  ["iq2_s", 22, 256, 82, [1], "8126fe689d6456093100cfef8580c02d"],
  ["iq4_xs", 23, 256, 136, [1], "f32cf53ff8986441f53f4c014921d18b"],
  ["iq1_m", 29, 256, 56, [55], "d694f5f64c8268606485f117e0944904"],
  ["tq1_0", 34, 256, 54, [53], "c8d98af72250c57d16d65f72a78756dd"],
  ["tq2_0", 35, 256, 66, [65], "764d7ad643cbf25cc9d4e0a8504e3d6b"],
  ["mxfp4", 39, 32, 17, [], "213145705c4487f4274d2537f96e6de3"],
  ["nvfp4", 40, 64, 36, [], "2b37451f79d95021f4ad69bfb125e6fa"],
  ["q1_0", 41, 128, 18, [1], "6db2916201d187b4f284fb96daaf7a2a"],
  ["q2_0", 42, 64, 18, [1], "80eb8b08093e46a8b0db6c3499816469"],
];
const BLOCKS = 64;

/** Bytes of a linear congruential generator; the highest exponent bit of scales is cleared, so that all values are finite. */
function blocksOf(blockBytes: number, scales: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(BLOCKS * blockBytes);
  let state = 1;
  for (let at = 0; at < bytes.length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  for (let block = 0; block < BLOCKS; block++) for (const place of scales) bytes[block * blockBytes + place]! &= 0xbf;
  return bytes;
}

const oneTensor = (type: number, dims: readonly number[], data: Uint8Array, bigEndian = false) =>
  ggufFile({ bigEndian, tensors: [{ name: "blk.0.ffn_up.weight", dims, type, data }] });

const valuesOf = (model: Model) => model.read(layer(model, "blk.0.ffn_up.weight").tensor);

const sha = (values: Float32Array | Float64Array) => createHash("sha256").update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest("hex");

describe("a quantized tensor", () => {
  it.each(GOLDEN)("of %s has the values that ggml gives it, bit for bit", async (name, number, blockSize, blockBytes, scales, expected) => {
    await withModel(oneTensor(number, [blockSize * 4, BLOCKS / 4], blocksOf(blockBytes, scales)), async (model) => {
      const { tensor, notes } = layer(model, "blk.0.ffn_up.weight");
      expect(tensor).toMatchObject({ dtype: name, shape: [BLOCKS / 4, blockSize * 4] });
      expect(notes).toContain(`${name}, dequantized`);
      const values = await valuesOf(model);
      expect(values.length).toBe(BLOCKS * blockSize);
      expect(sha(values).slice(0, expected.length)).toBe(expected);
    });
  });

  it("gives parts of itself, which are those of the whole, also from within blocks", async () => {
    const [, number, blockSize, blockBytes, scales] = GOLDEN[0]!;
    await withModel(oneTensor(number, [blockSize * 4, BLOCKS / 4], blocksOf(blockBytes, scales)), async (model) => {
      const { tensor } = layer(model, "blk.0.ffn_up.weight");
      const whole = await model.read(tensor);
      const { read: range } = model.ranges!(tensor)!;
      for (const [start, count] of [[0, whole.length], [blockSize * 4, blockSize * 8], [5, 70], [whole.length - 1, 1]] as const) {
        expect(await range(start, count)).toEqual(whole.slice(start, start + count));
      }
    });
  });

  it("of q8_1, which ggml keeps for products alone, is its bytes times its scale", async () => {
    const block = Buffer.concat([Buffer.from([0x00, 0x38, 0xff, 0xff]), Buffer.from(Int8Array.from({ length: 32 }, (_, index) => index * 8 - 128).buffer)]);
    await withModel(oneTensor(9, [32], block), (model) => { expect(reason(model, "blk.0.ffn_up.weight")).toBe("one axis: no matrix"); });
    await withModel(oneTensor(9, [32, 2], Buffer.concat([block, block])), async (model) => {
      const row = Array.from({ length: 32 }, (_, index) => (index * 8 - 128) / 2);
      expect([...await valuesOf(model)]).toEqual([...row, ...row]);
    });
  });
});

describe("a plain tensor", () => {
  const halves = [0x3c00, 0x4000, 0xc200, 0x0001];
  const bytes16 = (bigEndian: boolean, values: readonly number[]) => {
    const out = Buffer.alloc(values.length * 2);
    values.forEach((value, index) => (bigEndian ? out.writeUInt16BE(value, index * 2) : out.writeUInt16LE(value, index * 2)));
    return out;
  };
  const doubles = (bigEndian: boolean) => {
    const out = Buffer.alloc(32);
    [1, -2, Math.PI, 1e-300].forEach((value, index) => (bigEndian ? out.writeDoubleBE(value, index * 8) : out.writeDoubleLE(value, index * 8)));
    return out;
  };

  it.each([false, true])("has its values, big-endian %s", async (bigEndian) => {
    const read = async (type: number, data: Uint8Array) => withModel(oneTensor(type, [2, 2], data, bigEndian), async (model) => [...await valuesOf(model)]);
    expect(await read(0, new Writer(bigEndian).f32s([1, 2, 3, -0.5]))).toEqual([1, 2, 3, -0.5]);
    expect(await read(1, bytes16(bigEndian, halves))).toEqual([1, 2, -3, 2 ** -24]);
    expect(await read(30, bytes16(bigEndian, [0x3f80, 0xc000, 0x4049, 0x0001]))).toEqual([1, -2, 3.140625, 2 ** -133]);
    expect(await read(28, doubles(bigEndian))).toEqual([1, -2, Math.PI, 1e-300]);
  });

  it("of integers is no weight", async () => {
    await withModel(oneTensor(26, [2, 2], Buffer.alloc(16)), (model) => { expect(reason(model, "blk.0.ffn_up.weight")).toBe("int32: not a weight"); });
  });
});

describe("a quantized tensor of a big-endian machine", () => {
  it("has the same values as its little-endian twin, where its scales are plain numbers", async () => {
    const scales = [1, 3];
    const data = blocksOf(144, scales);
    const twin = Uint8Array.from(data);
    for (let block = 0; block < BLOCKS; block++) for (const place of [0, 2]) twin.subarray(block * 144 + place, block * 144 + place + 2).reverse();
    const expected = await withModel(oneTensor(12, [256, BLOCKS], data), valuesOf);
    expect(await withModel(oneTensor(12, [256, BLOCKS], twin, true), valuesOf)).toEqual(expected);
  });

  it("is skipped with a reason where they are not", async () => {
    await withModel(oneTensor(16, [256, BLOCKS], blocksOf(66, [1]), true), (model) => {
      expect(reason(model, "blk.0.ffn_up.weight")).toBe("iq2_xxs of a big-endian machine, which RankLens does not read");
    });
  });
});
