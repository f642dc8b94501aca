import { describe, expect, it } from "vitest";
import { isModelFile, isPartOf, isUnsearched } from "../../../src/vscode/modelFiles";
import { withoutShards } from "../../../src/shared/modelFolder";
import { groupModels } from "../../../src/vscode/modelGroups";
import { modelPath } from "../../../src/vscode/modelUri";
import { reportFileName } from "../../../src/vscode/reportFiles";
import { english } from "./support/english";

describe("which files are models", () => {
  it.each(["net.onnx", "NET.ONNX", "a b/model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "llama.Q4_K.gguf", "net.h5"])("%s is", (name) => expect(isModelFile(name)).toBe(true));
  it.each(["net.onnx.data", "onnx", "model.index.json", "model.safetensors.json"])("%s is not", (name) => expect(isModelFile(name)).toBe(false));

  it("leaves out folders of packages and hidden ones, but not names that begin alike", () => {
    for (const path of ["node_modules/a/x.onnx", "env/lib/site-packages/x.onnx", ".git/x.onnx", "a/.cache/b/x.onnx", "C\\node_modules\\x.onnx"]) expect(isUnsearched(path), path).toBe(true);
    for (const path of ["x.onnx", ".hidden.onnx", "my_node_modules/x.onnx", "site-packages.onnx"]) expect(isUnsearched(path), path).toBe(false);
  });
});

describe("sharded checkpoints", () => {
  const shards = ["/m/model-00001-of-00002.safetensors", "/m/model-00002-of-00002.safetensors"];

  it("are shown once, as their index", () => {
    expect(withoutShards([...shards, "/m/model.safetensors.index.json", "/m/other.onnx"])).toEqual(["/m/model.safetensors.index.json", "/m/other.onnx"]);
  });
  it("are shown once, as their first file, where the format has no index", () => {
    expect(withoutShards(["/m/l-00001-of-00002.gguf", "/m/l-00002-of-00002.gguf"])).toEqual(["/m/l-00001-of-00002.gguf"]);
    expect(withoutShards(["/m/pytorch_model.bin.index.json", "/m/pytorch_model-00001-of-00001.bin"])).toEqual(["/m/pytorch_model.bin.index.json"]);
  });
  it("are shown once, as the program, where they are the variables of a SavedModel", () => {
    expect(withoutShards(["/m/saved_model.pb", "/m/variables/variables.index"])).toEqual(["/m/saved_model.pb"]);
    expect(withoutShards(["/m/variables/variables.index"])).toHaveLength(1);
  });
  it("are shown as they are where the index is missing or another one's", () => {
    expect(withoutShards(shards)).toEqual(shards);
    expect(withoutShards([...shards, "/n/model.safetensors.index.json"])).toHaveLength(3);
    expect(withoutShards([...shards, "/m/vae.safetensors.index.json"])).toHaveLength(3);
  });
});

describe("a change on the disk", () => {
  it("is the model's when its own file, a shard or its external data was written", () => {
    expect(isPartOf("net.onnx", "net.onnx")).toBe(true);
    expect(isPartOf("net.onnx.data", "net.onnx")).toBe(true);
    expect(isPartOf("adapter_config.json", "adapter_model.safetensors")).toBe(true);
    expect(isPartOf("net_weights.bin", "net.onnx")).toBe(true);
    expect(isPartOf("model-00001-of-00002.safetensors", "model.safetensors.index.json")).toBe(true);
    expect(isPartOf("q-00002-of-00002.gguf", "q-00001-of-00002.gguf")).toBe(true);
    expect(isPartOf("other-00002-of-00002.gguf", "q-00001-of-00002.gguf")).toBe(false);
  });
  it("is not the model's when another model or an unrelated file was written", () => {
    expect(isPartOf("net2.onnx", "net.onnx")).toBe(false);
    expect(isPartOf("train.log", "net.onnx")).toBe(false);
    expect(isPartOf("model.safetensors.index.json", "model.safetensors")).toBe(false);
    expect(isPartOf("config.json", "model.safetensors.index.json")).toBe(false);
  });
});

describe("the list by folder", () => {
  const found = (...relative: string[]) => relative.map((each) => ({ path: `/w/${each}`, relative: each }));

  it("has the workspace's own folder first, then folders and models as people count", () => {
    const folders = groupModels(found("run10/a.onnx", "run2/b10.onnx", "run2/b9.onnx", "top.onnx"), "work");
    expect(folders.map(({ label }) => label)).toEqual(["work", "run2", "run10"]);
    expect(folders[1]?.models.map(({ name }) => name)).toEqual(["b9.onnx", "b10.onnx"]);
    expect(folders[0]?.models[0]).toEqual({ kind: "model", path: "/w/top.onnx", name: "top.onnx" });
  });
  it("shows a folder that is one model by its name, beside those of the folder above", () => {
    const folders = groupModels(found("llama/model.safetensors.index.json", "llama/model-00001-of-00001.safetensors", "top.onnx", "runs/1/adapter_model.safetensors", "runs/2/a.onnx"), "work");
    expect(folders.map(({ label, models }) => [label, models.map(({ name, path }) => [name, path])])).toEqual([
      ["work", [["llama", "/w/llama/model.safetensors.index.json"], ["top.onnx", "/w/top.onnx"]]],
      ["runs", [["1", "/w/runs/1/adapter_model.safetensors"]]],
      ["runs/2", [["a.onnx", "/w/runs/2/a.onnx"]]],
    ]);
  });
  it("shows the files of a folder that holds several, and of the workspace itself", () => {
    expect(groupModels(found("m/model.safetensors", "m/other.onnx", "model.safetensors"), "work").map(({ models }) => models.map(({ name }) => name))).toEqual([["model.safetensors"], ["model.safetensors", "other.onnx"]]);
  });
  it("holds each model once", () => {
    const [folder, ...others] = groupModels(found("m/vae.safetensors.index.json", "m/vae-00001-of-00001.safetensors"), "");
    expect(others).toEqual([]);
    expect(folder?.models.map(({ name }) => name)).toEqual(["vae.safetensors.index.json"]);
  });
  it("handles as many models as are ever listed at once", () => {
    const many = found(...Array.from({ length: 2000 }, (_, index) => `d${index % 40}/m${index}.onnx`));
    const folders = groupModels(many, "");
    expect(folders).toHaveLength(40);
    expect(folders.reduce((sum, { models }) => sum + models.length, 0)).toBe(2000);
  });
});

describe("a place that is no disk", () => {
  it("gets a sentence that says which and what to do", () => {
    const uri = { scheme: "git", path: "/w/net.onnx", fsPath: "/w/net.onnx" };
    expect(() => modelPath(uri, english)).toThrow(expect.objectContaining({ code: "unsupported", message: expect.stringMatching(/^net\.onnx .*git/) as string, next: expect.stringContaining("SSH") as string }) as Error);
  });
  it("and a file that is no model, another", () => {
    expect(() => modelPath({ scheme: "file", path: "/w/a.txt", fsPath: "/w/a.txt" }, english)).toThrow(expect.objectContaining({ code: "unknown-format" }) as Error);
  });
});

describe("a report's file", () => {
  it("lies beside the model under its name", () => {
    expect(reportFileName("/w/net.onnx", "json")).toBe("/w/net.ranks.json");
    expect(reportFileName("/w/saved_model.pb", "json")).toBe("/w/saved_model.ranks.json");
    expect(reportFileName("/w/NET.ONNX", "markdown")).toBe("/w/NET.ranks.md");
    expect(reportFileName("/w/model.safetensors.index.json", "csv")).toBe("/w/model.ranks.csv");
    expect(reportFileName("/w/model.safetensors", "png")).toBe("/w/model.ranks.png");
  });
});
