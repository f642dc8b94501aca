import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { DEFAULT_OPEN_OPTIONS, type Layer, type Model } from "../../src/models/model";
import { safetensors } from "../../src/models/safetensors/format";
import { describeWithModels, modelFiles, MODELS } from "./models";

/** Against numpy: every tensor of every file is in `layers` or `skipped`, and values are equal bit for bit. */
const SCRIPT = join(import.meta.dirname, "safetensors_tensors.py");
const OWN = join(import.meta.dirname, "../models/workspace/digits_mlp.safetensors");

interface Reference {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  /** SHA-256 of float values; null for integers. */
  readonly sha: string | null;
}

const files = modelFiles(/\.safetensors$/);
const indices = modelFiles(/\.safetensors\.index\.json$/);

const referenceOf = (...paths: readonly string[]): Reference[] =>
  (JSON.parse(execFileSync("/usr/bin/python3", [SCRIPT, ...paths], { encoding: "utf8", maxBuffer: 2 ** 26 })) as Reference[][]).flat();

const sha = (values: Float32Array | Float64Array) => createHash("sha256").update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest("hex");

async function withModel(path: string, body: (model: Model) => Promise<void> | void): Promise<void> {
  const model = await safetensors.open(path, { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 });
  try {
    await body(model);
  } finally {
    await model.close();
  }
}

async function compare(path: string, ...shards: readonly string[]): Promise<void> {
  const reference = referenceOf(...(shards.length > 0 ? shards : [path]));
  await withModel(path, async (model) => {
    const listed = [...model.layers.map(({ tensor: { name, shape } }) => ({ name, shape })), ...model.skipped];
    expect(listed.map(({ name, shape }) => `${name} [${shape.join(",")}]`).sort()).toEqual(reference.map(({ name, shape }) => `${name} [${shape.join(",")}]`).sort());
    expect(model.skipped.every(({ reason }) => reason.length > 0)).toBe(true);
    expect(model.summary.tensors).toBe(reference.length);
    const byName = new Map(reference.map((tensor) => [tensor.name, tensor]));
    for (const { tensor } of model.layers) {
      expect([tensor.name, sha(await model.read(tensor))]).toEqual([tensor.name, byName.get(tensor.name)!.sha]);
    }
  });
}

it("The repository's own model has the tensors and the values that numpy reads, bit for bit", async () => {
  await compare(OWN);
});

describeWithModels("every safetensors model at hand", files, () => {
  it.each(files)("%s: has the tensors and the values that numpy reads, bit for bit", async (file) => {
    await compare(join(MODELS, file));
  });

  it.each(indices)("%s: has the tensors and the values of its shards", async (file) => {
    const path = join(MODELS, file);
    const { weight_map: map } = JSON.parse(readFileSync(path, "utf8")) as { weight_map: Record<string, string> };
    await compare(path, ...[...new Set(Object.values(map))].map((shard) => join(dirname(path), shard)));
  });
});

const described = ({ tensor, kind, block, module, views }: Layer) => [tensor.name, kind, block, module, views.length];

describeWithModels("known layers of safetensors files", files, () => {
  it("TinyStories: a Llama of two layers, its head tied, in one file and in three", async () => {
    const projections = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"];
    const expected = [
      ...[0, 1].flatMap((layer) => projections.map((module) => [`model.layers.${layer}.${module}.weight`, "linear", `model.layers.${layer}`, module, 1])),
      ["lm_head.weight", "linear", null, "lm_head", 1],
    ];
    await withModel(join(MODELS, "safetensors/tinystories_656k/model.safetensors"), (model) => {
      expect(model.layers.map(described)).toEqual(expected);
      expect(model.layers.at(-1)!.notes).toEqual(["also used as model.embed_tokens.weight"]);
      // 656 thousand, as its name says.
      expect(model.summary.parameters).toBe(656_000);
    });
    await withModel(join(MODELS, "derived/safetensors_sharded_tinystories_656k/model.safetensors.index.json"), (model) => {
      expect(model.layers.map(described)).toEqual(expected);
      expect(model.summary).toMatchObject({ parameters: 656_000, notes: ["3 shards", "saved from PyTorch"] });
    });
  });

  it("silero: convolutions of one axis and an LSTM cell with PyTorch's gates", async () => {
    await withModel(join(MODELS, "safetensors/silero_vad_16k.safetensors"), (model) => {
      expect(model.layers.map(({ kind }) => kind)).toEqual(["conv", "conv", "conv", "conv", "conv", "lstm", "lstm", "conv"]);
      expect(model.layers[5]!.views.map(({ part }) => part)).toEqual(["gate:i", "gate:f", "gate:g", "gate:o"]);
      expect(model.layers[6]!.views.every(({ recurrent }) => recurrent)).toBe(true);
    });
  });

  it("LoRA files: every factor is an adapter's, with its rank", async () => {
    for (const [file, rank, count] of [["derived/lora_tinystories_hn_r8/adapter_model.safetensors", 8, 28], ["safetensors/lora_analog_svd_rank4.safetensors", 4, 384], ["safetensors/lora_disney.safetensors", 1, 384]] as const) {
      await withModel(join(MODELS, file), (model) => {
        expect(model.layers.length).toBe(count);
        for (const { kind, notes } of model.layers) expect([kind, notes[0]]).toEqual(["adapter", `one factor of a LoRA of rank ${rank}: measured by itself, not their product`]);
      });
    }
  });
});
