import { describe, expect, it } from "vitest";
import { gguf } from "../../../src/models/gguf/format";
import { openMutated } from "../support/mutations";
import { floatTensor, ggufFile, Writer } from "./ggufFile";

/** Numbers of types and axes, and ends of numbers' ranges. */
const TELLING = [0, 1, 2, 3, 4, 8, 9, 12, 19, 32, 39, 0x40, 0x7f, 0x80, 0xfe, 0xff];

/** A small model with everything that the reader knows: metadata of all kinds, plain and quantized types, an expert stack. */
function everything(bigEndian: boolean): Buffer {
  const writer = new Writer(bigEndian);
  const block = (name: string, type: number, dims: readonly number[], bytes: number) => ({ name, dims, type, data: new Uint8Array(bytes).fill(0x35) });
  return ggufFile({
    bigEndian,
    metadata: [
      writer.textEntry("general.architecture", "llama"), writer.numberEntry("general.alignment", 32), writer.numberEntry("split.count", 1),
      writer.texts("tokens", ["a", "bc", "def"]), writer.entry("list", 9, Buffer.concat([writer.u32(4), writer.u64(2), Buffer.alloc(8)])), writer.entry("flag", 7, Buffer.from([1])),
    ],
    tensors: [
      floatTensor("token_embd.weight", [4, 4], bigEndian), floatTensor("blk.0.ffn_up_exps.weight", [2, 3, 2], bigEndian), floatTensor("blk.0.attn_norm.weight", [4], bigEndian),
      block("blk.0.attn_q.weight", 2, [32, 2], 36), block("blk.0.attn_k.weight", 12, [256, 1], 144), block("blk.0.attn_v.weight", 19, [256, 1], 50), block("blk.0.ffn_up.weight", 39, [32, 2], 34),
    ],
  });
}

describe("a mutated file", () => {
  it.each([["little", false], ["big", true]])("of a %s-endian machine opens or gets a fault, and its weights can be read or get a fault", async (_what, bigEndian) => {
    const content = everything(bigEndian);
    const codes = await openMutated(gguf, "model.gguf", content, [...content.keys()], TELLING);
    for (const code of ["opened", "malformed", "truncated", "unsupported"]) expect(codes.get(code)).toBeGreaterThan(0);
  }, 600_000);
});
