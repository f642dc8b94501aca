import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { safetensors } from "../../../src/models/safetensors/format";
import { openMutated } from "../support/mutations";
import { readAll } from "../support/opened";
import { f32, file, stored, withModel } from "./safetensorsFile";

/** Bytes that mean something in JSON, and digits. */
const TELLING = Buffer.from("{}[]\",:\\0123459-.eE tnu\u0000\u00ff", "latin1");

/** A small file with everything that the reader knows. */
const everything = () => file({
  "model.embed_tokens.weight": f32([6, 4]), "h.0.attn.c_attn.weight": f32([2, 6]), "h.0.attn.bias": f32([1, 1, 2, 2]),
  "rnn.weight_ih_l0": f32([8, 3]), "rnn.weight_hh_l0": f32([8, 2]), "conv.0.weight": f32([4, 2, 2, 2]), "dw.weight": f32([4, 1, 3]),
  "mlp.experts.gate_up_proj": f32([2, 2, 4]), "mlp.experts.down_proj": f32([2, 2, 2]), "q.weight": stored("F8_E4M3", [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]), "q.weight_scale": f32([4, 1]),
  "half.weight": stored("BF16", [2, 2], new Uint8Array(8)), "ids": stored("I64", [2], new Uint8Array(16)), "lora_A.weight": f32([2, 2]),
}, { format: "pt", "lm_head.weight": "model.embed_tokens.weight" });

describe("a mutated file", () => {
  const real = process.env["RANKLENS_FUZZ_FILE"] ?? join(import.meta.dirname, "../../models/workspace/digits_mlp.safetensors");

  it.each([["of our own making", everything], ["of a real model", () => readFileSync(real)]])(
    "%s opens or gets a fault, and its weights can be read or get a fault", async (_what, content) => {
      const original = content();
      // A change in the data is only another weight: the header's length, the header and the first of the data.
      const places = Array.from({ length: Math.min(original.length, 16 + Number(original.readBigUInt64LE())) }, (_, place) => place);
      const codes = await openMutated(safetensors, "model.safetensors", original, places, [...TELLING]);
      expect(codes.get("opened")).toBeGreaterThan(0);
      expect(codes.get("malformed")).toBeGreaterThan(0);
      expect(codes.get("truncated")).toBeGreaterThan(0);
    }, 600_000);
});

describe("a made file", () => {
  const BYTES = { F64: 8, F32: 4, F16: 2, BF16: 2, F8_E4M3: 1, F8_E5M2: 1, F8_E8M0: 1, I8: 1, U8: 1, I64: 8, BOOL: 1 } as const;
  const MODULES = [
    "embed_tokens", "h.0.attn.c_attn", "h.0.attn.c_proj", "qkv_proj", "o_proj", "query_key_value", "lstm", "conv", "dwconv", "deconv", "ups.0", "experts", "mlp.experts.down_proj", "norm", "lora_A", "x",
  ];
  const OWN = [
    "weight", "bias", "weight_ih_l0", "weight_hh_l0", "weight_hr_l0", "in_proj_weight", "kernel", "weight_v", "weight_g", "gate_up_proj", "down_proj", "weight_scale", "weight_scale_inv", "weight_zero_point",
    "scale_weight", "running_mean", "w1", "w2", "parametrizations.weight.original1", "down", "up",
  ];
  const name = fc.tuple(fc.constantFrom(...MODULES), fc.constantFrom(".", ":", "/"), fc.constantFrom(...OWN)).map((parts) => parts.join(""));
  const shape = fc.array(fc.constantFrom(0, 1, 1, 2, 3, 4, 6, 8, 12), { maxLength: 6 });
  const tensor = fc.tuple(fc.constantFrom(...Object.keys(BYTES) as (keyof typeof BYTES)[]), shape).map(([dtype, sizes]) =>
    stored(dtype, sizes, new Uint8Array(BYTES[dtype] * sizes.reduce<number>((product, size) => product * size, 1))));

  it("with any names, types and shapes opens, lists each tensor once, and is read", async () => {
    let layers = 0;
    await fc.assert(fc.asyncProperty(fc.dictionary(name, tensor, { minKeys: 1, maxKeys: 12 }), async (tensors) => {
      await withModel(file(tensors), async (opened) => {
        expect([...opened.layers.map(({ tensor: { name: listed } }) => listed), ...opened.skipped.map(({ name: listed }) => listed)].sort()).toEqual(Object.keys(tensors).sort());
        layers += opened.layers.length;
        await readAll(opened);
      });
    }), { seed: 5, numRuns: 2000 });
    expect(layers).toBeGreaterThan(2000);
  }, 120_000);
});
