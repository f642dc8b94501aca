import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_OPEN_OPTIONS, type Model, type Values } from "../../src/models/model";
import { openShard } from "../../src/models/pytorch/files";
import { pytorch } from "../../src/models/pytorch/format";
import { readValues } from "../../src/models/pytorch/read";
import { layer, reason } from "../unit/support/opened";
import { describeWithModels, modelFiles, MODELS } from "./models";

/**
 * Against PyTorch 1.13 (Debian's python3-torch): every tensor that it loads is there, under the same name, and every dense
 * tensor of floats has the same values, bit for bit; quantized ones as PyTorch's dequantize() gives them.
 */
const PYTHON = "/usr/bin/python3";
const made = mkdtempSync(join(tmpdir(), "ranklens-torch-"));
execFileSync(PYTHON, [join(import.meta.dirname, "torch_files.py"), made], { stdio: ["ignore", "ignore", "ignore"] });
afterAll(() => rmSync(made, { recursive: true }));

const real = modelFiles(/\.(?:pth?|bin|ckpt)$/);
const files = [...readdirSync(made).sort().map((name) => [name, join(made, name)] as const), ...real.map((name) => [name, join(MODELS, name)] as const)];

interface Reference {
  readonly name: string;
  readonly shape: readonly number[];
  /** Null for what is no dense tensor of floats. */
  readonly sha: string | null;
}

const sha = (values: Values) => createHash("sha256").update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest("hex");

/** The name of a tensor without the keys under which a checkpoint holds its model, and of packed weights that of their module. */
const plain = (name: string) => name
  .replace(/^(?:state_dict|model\.state_dict|model)\./, "")
  .replace(/(?:\._packed_params)+\.([01])$/, (_, which: string) => (which === "0" ? ".weight" : ".bias"));

const references = new Map<string, ReadonlyMap<string, Reference>>();

beforeAll(() => {
  // PyTorch 1.13 takes all storages for little-endian; the file holds what floats.pt does.
  const paths = files.map(([, path]) => path.replace("big_endian.pt", "floats.pt"));
  const out = execFileSync(PYTHON, [join(import.meta.dirname, "torch_tensors.py"), ...paths], { encoding: "utf8", maxBuffer: 2 ** 28, stdio: ["ignore", "pipe", "ignore"] });
  for (const [index, found] of (JSON.parse(out) as Reference[][]).entries()) {
    references.set(files[index]![1], new Map(found.map((tensor) => [plain(tensor.name), tensor])));
  }
}, 170_000);

async function withModel(path: string, body: (model: Model) => Promise<void> | void): Promise<void> {
  const model = await pytorch.open(path, DEFAULT_OPEN_OPTIONS);
  try {
    await body(model);
  } finally {
    await model.close();
  }
}

describeWithModels("the real PyTorch files", real, () => {
  it("are among those that are compared", () => {
    expect(real.length).toBeGreaterThanOrEqual(10);
  });
});

describe.each(files)("%s", (_name, path) => {
  it("holds the tensors that PyTorch loads, with its values, bit for bit", async () => {
    const reference = references.get(path)!;
    const { file, tensors, source } = await openShard(path);
    const ours = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    for (const [name, { shape, sha: expected }] of reference) {
      const found = ours.get(name);
      expect([name, found?.tensor.shape]).toEqual([name, found?.tensor.problem === "sparse tensors are not analyzed" ? found.tensor.shape : shape]);
      if (expected === null || found === undefined) continue;
      const values = await file.whileOpen(() => readValues(found.tensor, source));
      expect([name, sha(values)]).toEqual([name, expected]);
    }
    expect(reference.size).toBeGreaterThan(0);
  });

  it("lists every tensor as a layer or with the reason", async () => {
    await withModel(path, (model) => {
      const names = new Set([...model.layers.map(({ tensor }) => tensor.name), ...model.skipped.map(({ name }) => name)]);
      expect(names.size).toBe(model.layers.length + model.skipped.length);
      expect(names.size).toBe(model.summary.tensors);
      expect(model.skipped.every(({ reason: why }) => why.length > 0)).toBe(true);
      expect([...references.get(path)!.keys()].filter((name) => !names.has(name))).toEqual([]);
    });
  });
});

describe("what PyTorch writes", () => {
  const at = (name: string) => join(made, name);

  it("ties the head to the embedding: one layer, and the other name with the reason", async () => {
    await withModel(at("state_dict.pt"), (model) => {
      expect(layer(model, "embedding.weight").notes).toContain("also used as head.weight");
      expect(reason(model, "head.weight")).toBe("shares its data with embedding.weight");
    });
  });

  it("keeps optimizer and generator states apart from the weights of a Lightning checkpoint", async () => {
    await withModel(at("lightning.ckpt"), (model) => {
      expect(model.layers.map(({ tensor }) => tensor.name)).toEqual(["embedding.weight", "features.0.weight", "rnn.weight_ih_l0", "rnn.weight_hh_l0"]);
      expect(reason(model, "optimizer_states.0.state.0.exp_avg")).toBe("state of an optimizer: not a weight");
      expect(reason(model, "rng_state")).toBe("state of a random number generator: not a weight");
      expect(model.summary.notes).toContain("weights under state_dict");
      expect(model.summary.notes).toContain("holds objects that RankLens does not know, looked through for tensors: argparse.Namespace, pathlib.PurePosixPath");
    });
  });

  it.each(["state_dict.pt", "state_dict_legacy.pt", "module.pt", "module_legacy.pt", "nested.pth"])("%s has the same layers as the model has", async (name) => {
    await withModel(at(name), (model) => {
      expect(model.layers.map(({ tensor: { name: own, dtype }, kind, views }) => [own, kind, dtype, views.map(({ part }) => part)])).toEqual([
        ["embedding.weight", "embedding", "float32", [null]], ["features.0.weight", "conv", "float32", [null, null]],
        ["rnn.weight_ih_l0", "lstm", "float32", ["gate:i", "gate:f", "gate:g", "gate:o"]], ["rnn.weight_hh_l0", "lstm", "float32", ["gate:i", "gate:f", "gate:g", "gate:o"]],
      ]);
      expect(model.summary.parameters).toBe(582);
    });
  });

  it("says how quantized tensors were dequantized, and why others are no layers", async () => {
    await withModel(at("quantized.pt"), (model) => {
      expect(layer(model, "per_channel.weight").notes).toEqual(["int8, dequantized per axis 0"]);
      expect(layer(model, "unsigned.weight").notes).toEqual(["uint8, dequantized"]);
    });
    await withModel(at("dtypes.pt"), (model) => {
      expect(reason(model, "complex64.weight")).toBe("complex64: complex numbers are not measured");
      expect(reason(model, "sparse.weight")).toBe("sparse tensors are not analyzed");
      expect(reason(model, "int64.weight")).toBe("int64: not a weight");
      expect(reason(model, "empty.weight")).toBe("no elements");
    });
  });
});
