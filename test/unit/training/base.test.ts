import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BaseModels } from "../../../src/training/base/baseModels";
import { hubCache, isRepositoryId } from "../../../src/training/base/hubCache";
import { resolveBase, type BasePlaces } from "../../../src/training/base/resolve";
import { f32, file, files, index, stored } from "../safetensors/safetensorsFile";
import { folder } from "../support/folders";

const COMMIT = "0123456789abcdef0123456789abcdef01234567", OTHER = "89abcdef0123456789abcdef0123456789abcdef";
const model = file({ "model.layers.0.mlp.up_proj.weight": f32([8, 4]) });
const places = (home: string, further: Partial<BasePlaces> = {}): BasePlaces => ({ variables: {}, home, chosen: null, folders: [home], ...further });
const reference = (text: string, revision: string | null = null) => ({ text, revision });

/** A cache as huggingface_hub lays it out: the snapshot's files are links into blobs. */
function cached(contents: Readonly<Record<string, Uint8Array | string>>, { ref = "main", blobs = [] as readonly string[] } = {}): string {
  const home = folder(), repository = join(home, ".cache/huggingface/hub/models--org--name");
  for (const each of ["refs", "blobs", `snapshots/${COMMIT}`]) mkdirSync(join(repository, each), { recursive: true });
  writeFileSync(join(repository, "refs", ref), COMMIT);
  Object.entries(contents).forEach(([name, content], at) => {
    writeFileSync(join(repository, "blobs", `blob${at}`), content);
    symlinkSync(`../../blobs/blob${at}`, join(repository, "snapshots", COMMIT, name));
  });
  for (const blob of blobs) writeFileSync(join(repository, "blobs", blob), "");
  return home;
}

describe("the folder of cached repositories", () => {
  it.each([
    [{}, "/home/ada/.cache/huggingface/hub"],
    [{ XDG_CACHE_HOME: "/x" }, "/x/huggingface/hub"],
    [{ XDG_CACHE_HOME: "/x", HF_HOME: "/h" }, "/h/hub"],
    [{ HF_HOME: "~/h" }, "/home/ada/h/hub"],
    [{ HF_HOME: "/h", HUGGINGFACE_HUB_CACHE: "/old" }, "/old"],
    [{ HF_HOME: "/h", HUGGINGFACE_HUB_CACHE: "/old", HF_HUB_CACHE: "$DISK/new", DISK: "/d" }, "/d/new"],
    [{ HF_HUB_CACHE: "" }, "/home/ada/.cache/huggingface/hub"],
  ])("with %j", (variables, expected) => {
    expect(hubCache({ variables, home: "/home/ada" })).toBe(expected);
  });

  it.each([["gpt2", true], ["meta-llama/Llama-2-7b-hf", true], ["./out", false], ["/a/b", false], ["a/b/c", false], ["a--b/c", false], ["..", false], ["a/..", false], ["C:\\models", false]])("%s is the id of a repository: %s", (text, expected) => {
    expect(isRepositoryId(text)).toBe(expected);
  });
});

describe("a base model", () => {
  it("is found by an absolute path, one beside the config, and one below the home folder", async () => {
    const home = files({ "models/base/model.safetensors": model });
    for (const text of [join(home, "models/base"), "models/base", "./models/base/model.safetensors", "~/models/base"]) {
      expect(await resolveBase(reference(text), places(home))).toMatchObject({ state: "found", file: join(home, "models/base/model.safetensors"), from: "path" });
    }
  });

  it("is what the workspace's setting says, whatever the config says", async () => {
    const home = files({ "chosen/model.safetensors": model, "base/model.safetensors": model });
    expect(await resolveBase(reference("base"), places(home, { chosen: "chosen" }))).toMatchObject({ state: "found", file: join(home, "chosen/model.safetensors"), from: "setting" });
  });

  it("is found in the cache, by its revision", async () => {
    const home = cached({ "model.safetensors": model, "config.json": "{}" });
    const found = { state: "found", from: "cache" };
    expect(await resolveBase(reference("org/name"), places(home))).toMatchObject(found);
    expect(await resolveBase(reference("org/name", COMMIT), places(home))).toMatchObject(found);
  });

  it("is never another revision than the one that is asked for", async () => {
    const home = cached({ "model.safetensors": model });
    for (const revision of ["v2", OTHER, "../refs/main", "/etc/passwd"]) expect(await resolveBase(reference("org/name", revision), places(home))).toMatchObject({ state: "absent", id: true });
    expect(await resolveBase(reference("org/name"), places(cached({ "model.safetensors": model }, { ref: "v1" })))).toMatchObject({ state: "absent" });
  });

  it("with its tokenizer alone in the cache is not downloaded", async () => {
    expect(await resolveBase(reference("org/name"), places(cached({ "tokenizer.json": "{}" })))).toMatchObject({ state: "absent", id: true });
  });

  it("is still downloading while blobs are incomplete, shards are missing or links lead nowhere", async () => {
    expect(await resolveBase(reference("org/name"), places(cached({ "config.json": "{}" }, { blobs: ["abc.incomplete"] })))).toMatchObject({ state: "downloading", missing: [] });
    const shards = { "model.safetensors.index.json": index({ a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" }), "model-00001-of-00002.safetensors": model };
    expect(await resolveBase(reference("org/name"), places(cached(shards)))).toMatchObject({ state: "downloading", missing: ["model-00002-of-00002.safetensors"] });
    const home = cached({ "model.safetensors": model });
    rmSync(join(home, ".cache/huggingface/hub/models--org--name/blobs/blob0"));
    expect(await resolveBase(reference("org/name"), places(home))).toMatchObject({ state: "downloading" });
  });

  it("is there in spite of another revision that is being downloaded", async () => {
    expect(await resolveBase(reference("org/name"), places(cached({ "model.safetensors": model }, { blobs: ["abc.incomplete"] })))).toMatchObject({ state: "found" });
  });

  it("that is damaged is told with its fault", async () => {
    const home = files({ "base/model.safetensors": "version https://git-lfs.github.com/spec/v1\noid sha256:0" });
    expect(await new BaseModels().find(reference("base"), places(home))).toMatchObject({ state: "broken", fault: { code: "malformed" } });
    expect(await new BaseModels().find(reference("base"), places(files({ "base/readme.md": "" })))).toMatchObject({ state: "broken", fault: { code: "not-found" } });
  });

  it("of a diffusion pipeline is the part that is trained", async () => {
    const home = files({ "pipe/model_index.json": "{}", "pipe/unet/diffusion_pytorch_model.safetensors": model, "pipe/vae/diffusion_pytorch_model.safetensors": model });
    expect(await resolveBase(reference("pipe"), places(home))).toMatchObject({ state: "found", file: join(home, "pipe/unet/diffusion_pytorch_model.safetensors") });
  });

  it("is read again when its file changes", async () => {
    const home = files({ "base/model.safetensors": model });
    const models = new BaseModels();
    const first = await models.find(reference("base"), places(home));
    expect(await models.find(reference("base"), places(home))).toEqual(first);
    writeFileSync(join(home, "base/model.safetensors"), file({ "layers.0.fc.weight": f32([16, 4]), "layers.1.fc.weight": f32([4, 16]) }));
    expect(await models.find(reference("base"), places(home))).toMatchObject({ modules: { modules: [{ name: "layers.0.fc" }, { name: "layers.1.fc" }] } });
  });
});

/** Modules of a model that is written for one test. */
async function modulesIn(tensors: Parameters<typeof file>[0], config: object = {}) {
  const home = files({ "base/model.safetensors": file(tensors), "base/config.json": JSON.stringify(config) });
  const found = await new BaseModels().find(reference("base"), places(home));
  if (found.state !== "found") throw new Error(JSON.stringify(found));
  return found.modules;
}

describe("modules", () => {
  it("have their sizes, kinds and biases, and those above them are known", async () => {
    const { modules, containers, parameters } = await modulesIn({
      "model.embed_tokens.weight": f32([10, 4]), "model.layers.0.mlp.up_proj.weight": f32([8, 4]), "model.layers.0.mlp.up_proj.bias": f32([8]),
      "model.layers.0.norm.weight": f32([4]), "features.0.weight": f32([6, 4, 3, 3]),
    });
    const byName = new Map(modules.map((module) => [module.name, module]));
    expect(byName.get("model.layers.0.mlp.up_proj")).toMatchObject({ kind: "linear", inFeatures: 4, outFeatures: 8, parameters: 32, bias: 8 });
    expect(byName.get("model.embed_tokens")).toMatchObject({ kind: "embedding", inFeatures: 10, outFeatures: 4 });
    expect(byName.get("features.0")).toMatchObject({ kind: "conv", inFeatures: 4, outFeatures: 6, kernel: [3, 3], groups: 1 });
    expect(byName.get("model.layers.0.norm")).toMatchObject({ kind: "norm", parameters: 4 });
    expect([...containers].sort()).toEqual(["features", "model", "model.layers", "model.layers.0", "model.layers.0.mlp"]);
    expect(parameters).toBe(40 + 32 + 8 + 4 + 216);
  });

  it("of GPT-2's layers, which store (in, out), have their input first", async () => {
    const { modules, approximate } = await modulesIn({ "h.0.mlp.c_fc.weight": f32([4, 16]), "h.0.mlp.c_fc.bias": f32([16]) }, { architectures: ["GPT2LMHeadModel"], n_embd: 4, n_layer: 1 });
    expect(modules[0]).toMatchObject({ inFeatures: 4, outFeatures: 16 });
    expect(approximate).toContain("prefix");
  });

  it("have the output layer that shares the embedding's weight", async () => {
    const tensors = { "model.embed_tokens.weight": f32([10, 4]), "model.layers.0.fc.weight": f32([4, 4]) };
    const tied = await modulesIn(tensors, { tie_word_embeddings: true, architectures: ["LlamaForCausalLM"], hidden_size: 4, num_hidden_layers: 1 });
    expect(tied.modules.at(-1)).toMatchObject({ name: "lm_head", inFeatures: 4, outFeatures: 10, tiedTo: ["model.embed_tokens"] });
    expect(tied).toMatchObject({ parameters: 56, tiedEmbeddings: true, hiddenSize: 4, layerCount: 1 });
    expect((await modulesIn(tensors, { tie_word_embeddings: false, architectures: ["LlamaForCausalLM"] })).modules.map(({ name }) => name)).not.toContain("lm_head");
  });

  it("have stacked experts as parameters, and single ones as modules whose names may differ", async () => {
    const stacked = await modulesIn({ "model.layers.0.mlp.experts.gate_up_proj": f32([3, 16, 4]), "model.layers.0.mlp.experts.down_proj": f32([3, 4, 8]) });
    expect(stacked.expertParameters).toMatchObject([{ experts: 3, inFeatures: 4, outFeatures: 16 }, { experts: 3, inFeatures: 8, outFeatures: 4 }]);
    expect(stacked.containers).toContain("model.layers.0.mlp.experts");
    const single = await modulesIn({ "model.layers.0.mlp.experts.0.w1.weight": f32([8, 4]) });
    expect(single.modules).toMatchObject([{ name: "model.layers.0.mlp.experts.0.w1", kind: "linear" }]);
    expect(single.approximate).not.toBeNull();
  });

  it("of quantized files have the sizes that their weights had", async () => {
    const words = (shape: readonly number[]) => stored("I32", shape, new Uint8Array(shape.reduce((all, size) => all * size, 4)));
    const bytes = (count: number) => stored("U8", [count, 1], new Uint8Array(count));
    const gptq = await modulesIn({ "l.q_proj.qweight": words([8, 128]), "l.q_proj.scales": f32([1, 128]) }, { quantization_config: { quant_method: "gptq", bits: 4 } });
    expect(gptq).toMatchObject({ quantization: { method: "gptq", bits: 4 }, modules: [{ name: "l.q_proj", inFeatures: 64, outFeatures: 128 }] });
    const awq = await modulesIn({ "l.q_proj.qweight": words([64, 16]) }, { quantization_config: { quant_method: "awq", bits: 4 } });
    expect(awq.modules).toMatchObject([{ inFeatures: 64, outFeatures: 128 }]);
    const bits = await modulesIn({ "l.up_proj.weight": bytes(64 * 16), "l.up_proj.weight.absmax": f32([1]), "l.down_proj.weight": bytes(64 * 16), "l.down_proj.weight.absmax": f32([1]) }, { hidden_size: 16, quantization_config: { load_in_4bit: true } });
    expect(bits).toMatchObject({ quantization: { method: "bitsandbytes", bits: 4 }, modules: [{ inFeatures: 16, outFeatures: 128 }, { inFeatures: 128, outFeatures: 16 }] });
  });
});
