import { describe, expect, it } from "vitest";
import { layer, matrix, reason } from "../support/opened";
import { f32, file, floats, stored, withModel } from "./safetensorsFile";

describe("a file's tensors", () => {
  it("are layers or skipped, each with the reason", async () => {
    const content = file({
      "h.0.ln_1.weight": f32([4]), "h.0.ln_1.bias": f32([4]), "h.0.mlp.c_fc.weight": f32([2, 8]), "h.0.mlp.c_fc.bias": f32([8]), "step": f32([]),
      "bn.running_mean": f32([2]), "h.0.attn.bias": f32([1, 1, 2, 2]), "ids": stored("I32", [2, 2], new Uint8Array(16)),
    });
    await withModel(content, (opened) => {
      expect(opened.layers.map(({ tensor, kind, views }) => [tensor.name, kind, views[0]!.input])).toEqual([["h.0.mlp.c_fc.weight", "linear", "rows"]]);
      expect(Object.fromEntries(opened.skipped.map(({ name, reason: why }) => [name, why]))).toEqual({
        "h.0.ln_1.weight": "scale of a normalization", "h.0.ln_1.bias": "bias", "h.0.mlp.c_fc.bias": "bias", step: "a single number",
        "bn.running_mean": "running statistics of a normalization", "h.0.attn.bias": "causal mask", ids: "int32: not a weight",
      });
    });
  });

  it("under the size floor are told apart", async () => {
    await withModel(file({ "a.weight": f32([2, 3]) }), (opened) => {
      expect(reason(opened, "a.weight")).toBe("6 weights, fewer than the 16 from which tensors are measured");
    }, { smallestTensor: 16 });
  });

  it("that are tied are one layer that names the other", async () => {
    await withModel(file({ "lm_head.weight": f32([6, 4]) }, { format: "pt", "model.embed_tokens.weight": "lm_head.weight" }), (opened) => {
      expect(layer(opened, "lm_head.weight").notes).toEqual(["also used as model.embed_tokens.weight"]);
      expect(opened.summary).toMatchObject({ parameters: 24, tensors: 1, notes: ["saved from PyTorch"] });
    });
  });

  it("on one range of data are one layer, and count once", async () => {
    const { a, b } = { a: f32([2, 2]), b: f32([2, 2]) };
    const content = file({ "a.weight": a, "b.weight": b });
    const shared = Buffer.from(content.subarray(0, -16).toString("latin1").replace("[16,32]", "[0,16] "), "latin1");
    await withModel(shared, (opened) => {
      expect(layer(opened, "a.weight").notes).toEqual(["also used as b.weight"]);
      expect(reason(opened, "b.weight")).toBe("shares its data with a.weight");
      expect(opened.summary.parameters).toBe(4);
    });
  });

  it("keep the order of the file, unless that is only the alphabet's", async () => {
    const weights = (...names: string[]) => file(Object.fromEntries(names.map((name) => [`${name}.weight`, f32([2, 2])])));
    const order = (content: Buffer) => withModel(content, (opened) => opened.layers.map(({ tensor }) => tensor.name.replace(".weight", "")));
    expect(await order(weights("conv2", "conv1", "head", "conv3"))).toEqual(["conv2", "conv1", "head", "conv3"]);
    expect(await order(weights("lm_head", "m.embed_tokens", "m.layers.0.mlp.down_proj", "m.layers.0.mlp.gate_proj", "m.layers.0.mlp.up_proj", "m.layers.0.self_attn.k_proj", "m.layers.0.self_attn.q_proj", "m.layers.10.fc", "m.layers.2.fc")))
      .toEqual(["m.embed_tokens", "m.layers.0.self_attn.q_proj", "m.layers.0.self_attn.k_proj", "m.layers.0.mlp.gate_proj", "m.layers.0.mlp.up_proj", "m.layers.0.mlp.down_proj", "m.layers.2.fc", "m.layers.10.fc", "lm_head"]);
  });

  it("of depthwise convolutions are told from one layer with one input", async () => {
    await withModel(file({ "stft.weight": f32([4, 1, 3]) }), (opened) => { expect(layer(opened, "stft.weight").views[0]!.unfolding).toBe("channel"); });
    await withModel(file({ "0.weight": f32([4, 1, 3]), "1.weight": f32([4, 4, 1]), "2.weight": f32([4, 1, 3]) }), (opened) => {
      expect(layer(opened, "2.weight").views[0]!.unfolding).toBe("depthwise");
      expect(layer(opened, "2.weight").notes).toEqual(["taken as depthwise: each kernel has one input", "depthwise: nothing to gain"]);
    });
  });
});

describe("numbers of eight bits", () => {
  /** 1, −2, 0.5, 448: codes of float8 e4m3fn. */
  const codes = [0x38, 0xc0, 0x30, 0x7e];

  it("are values by themselves", async () => {
    await withModel(file({ "a.weight": stored("F8_E4M3", [2, 2], codes) }), async (opened) => {
      expect(await matrix(opened, "a.weight")).toEqual([[1, -2], [0.5, 448]]);
      expect(layer(opened, "a.weight").notes).toEqual(["float8_e4m3fn without a scale"]);
    });
  });

  it.each([
    ["one for all", f32([], [2]), [[2, -4], [1, 896]], "float8_e4m3fn, dequantized"],
    ["one for all, as a list", f32([1], [2]), [[2, -4], [1, 896]], "float8_e4m3fn, dequantized"],
    ["one for each output", f32([2, 1], [2, 4]), [[2, -4], [2, 1792]], "float8_e4m3fn, dequantized per axis 0"],
    ["one for each output, as a list", f32([2], [2, 4]), [[2, -4], [2, 1792]], "float8_e4m3fn, dequantized per axis 0"],
    ["one for each input", f32([1, 2], [2, 4]), [[2, -8], [1, 1792]], "float8_e4m3fn, dequantized in blocks of 2 × 1"],
  ])("are multiplied with the scale beside them: %s", async (_what, scale, expected, note) => {
    for (const name of ["a.weight_scale", "a.weight_scale_inv", "a.scale_weight"]) {
      await withModel(file({ "a.weight": stored("F8_E4M3", [2, 2], codes), [name]: scale }), async (opened) => {
        expect(await matrix(opened, "a.weight")).toEqual(expected);
        expect(layer(opened, "a.weight").notes).toEqual([note]);
        expect(reason(opened, name)).toBe("scale of a.weight");
        expect(opened.summary.parameters).toBe(4);
      });
    }
  });

  it("have scales for blocks of 128 × 128, cut off at the edge (DeepSeek)", async () => {
    const rows = 130, columns = 300;
    const ones = new Uint8Array(rows * columns).fill(0x38);
    await withModel(file({ "a.weight": stored("F8_E4M3", [rows, columns], ones), "a.weight_scale_inv": f32([2, 3], [1, 2, 3, 4, 5, 6]) }), async (opened) => {
      const values = await matrix(opened, "a.weight");
      expect([values[0]![0], values[0]![127], values[0]![128], values[127]![299], values[128]![0], values[129]![255], values[129]![256]]).toEqual([1, 1, 2, 3, 4, 5, 6]);
      expect(layer(opened, "a.weight").notes).toEqual(["float8_e4m3fn, dequantized in blocks of 128 × 128"]);
      // Its scales are for blocks of rows: it is read whole.
      expect(opened.ranges!(layer(opened, "a.weight").tensor)).toBeNull();
    });
  });

  it("have scales of bfloat16, of stacks, and of integers", async () => {
    const content = file({
      "experts.w1": stored("F8_E4M3", [2, 1, 2], codes), "experts.w1_scale": f32([2, 1, 1], [1, 10]),
      "b.weight": stored("I8", [2, 2], [1, 255, 2, 127]), "b.weight_scale": stored("BF16", [2, 1], [0x00, 0x3f, 0x80, 0x3f]),
    });
    await withModel(content, async (opened) => {
      expect([await matrix(opened, "experts.w1", 0), await matrix(opened, "experts.w1", 1)]).toEqual([[[1, -2]], [[5, 4480]]]);
      expect(await matrix(opened, "b.weight")).toEqual([[0.5, -0.5], [2, 127]]);
      expect(opened.summary.parameters).toBe(8);
    });
  });

  it.each([
    ["int8 without a scale: not a weight", { "a.weight": stored("I8", [2, 2], codes) }],
    ["int8 with a zero point or a second scale beside it, which RankLens does not read", { "a.weight": stored("I8", [2, 2], codes), "a.weight_scale": f32([1]), "a.weight_zero_point": stored("I8", [1], [0]) }],
    ["float8_e4m3fn, whose scale a.weight_scale of shape [3] does not fit it", { "a.weight": stored("F8_E4M3", [2, 2], codes), "a.weight_scale": f32([3]) }],
    ["float8_e4m3fn, whose scale a.weight_scale of shape [0] does not fit it", { "a.weight": stored("F8_E4M3", [2, 2], codes), "a.weight_scale": f32([0]) }],
    ["uint8, packed together with a.weight_scale in a way that RankLens does not read", { "a.weight": stored("U8", [2, 2], codes), "a.weight_scale": f32([2, 1]) }],
  ])("are not guessed at: %s", async (why, tensors) => {
    await withModel(file(tensors), (opened) => { expect(reason(opened, "a.weight")).toBe(why); });
  });

  it("that a quantizer packed are told to be that", async () => {
    await withModel(file({ "q_proj.qweight": stored("I32", [2, 2], new Uint8Array(16)), "experts.gate_up_proj_blocks": stored("U8", [1, 2, 2, 16], new Uint8Array(64)) }), (opened) => {
      expect(reason(opened, "q_proj.qweight")).toBe("int32, packed by a quantizer in a way that RankLens does not read");
      expect(reason(opened, "experts.gate_up_proj_blocks")).toBe("uint8, packed by a quantizer in a way that RankLens does not read");
    });
  });
});

it("Data that does not begin at a multiple of its width is read alike", async () => {
  const content = file({ byte: stored("U8", [1], [7]), "a.weight": { dtype: "F32", shape: [2, 2], data: floats(1, 2, 3, 4) }, "b.weight": stored("F16", [2, 2], [0x00, 0x3c, 0x00, 0xc0, 0x00, 0x7c, 0x01, 0x00]) });
  await withModel(content, async (opened) => {
    expect(await matrix(opened, "a.weight")).toEqual([[1, 2], [3, 4]]);
    expect(await matrix(opened, "b.weight")).toEqual([[1, -2], [Infinity, 2 ** -24]]);
  });
});
