import { createRequire } from "node:module";
import { build } from "esbuild";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fakeVscode } from "./support/fakeVscode";
import { STANDING_FILES } from "../../../src/shared/modelFolder";
import { manifest, repositoryFile } from "./support/manifest";

interface ExtensionModule {
  activate(context: object): void;
  deactivate(): Promise<void>;
}

describe("the extension", () => {
  let code: string;
  let files: string[];
  let editor: ReturnType<typeof fakeVscode>;
  let extension: ExtensionModule;
  let subscriptions: { dispose(): void }[];
  const run = async (command: string, ...args: unknown[]): Promise<unknown> => editor.trace.commands.get(command)?.(...args);

  beforeAll(async () => {
    // Built as scripts/build.mjs builds dist/extension.js.
    const { outputFiles, metafile } = await build({
      entryPoints: [repositoryFile("src/extension.ts")],
      bundle: true, write: false, metafile: true, outdir: "out", platform: "node", target: "node20", format: "cjs", loader: { ".py": "text" }, external: ["vscode"], mainFields: ["module", "main"],
    });
    code = outputFiles[0]?.text ?? "";
    files = Object.entries(Object.values(metafile.outputs)[0]?.inputs ?? {}).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : []));
  });

  beforeEach(() => {
    editor = fakeVscode();
    const load = createRequire(import.meta.url);
    const loaded = { exports: {} as ExtensionModule };
    new Function("module", "exports", "require", code)(loaded, loaded.exports, (name: string) => (name === "vscode" ? editor.module : (load(name) as unknown)));
    extension = loaded.exports;
    subscriptions = [];
    extension.activate({ subscriptions, workspaceState: { get: () => undefined, update: async () => undefined }, extensionUri: editor.Uri.file("/extension"), globalStorageUri: editor.Uri.file("/storage"), extension: { id: `${manifest.publisher}.${manifest.name}` } });
  });

  it("brings no format, no numerics and no engine into the editor's process", () => {
    expect(files.filter((file) => /src\/(models|linalg|rank|cli)\//.test(file))).toEqual([]);
    expect(files.filter((file) => /node_modules\/(?!vscode-jsonrpc\/)/.test(file))).toEqual([]);
    expect(files.filter((file) => /engine\/(server|analysis|pool|compute\w*|reports?|journal|cache)\.ts/.test(file))).toEqual([]);
  });

  it("registers what package.json contributes", () => {
    expect([...editor.trace.commands.keys()].sort()).toEqual(manifest.contributes.commands.map(({ command }) => command).sort());
    expect(editor.trace.customEditors).toEqual(manifest.contributes.customEditors.map(({ viewType }) => viewType));
    expect(editor.trace.views).toEqual(Object.values(manifest.contributes.views).flat().map(({ id }) => id));
  });

  it("searches and watches nothing but for folders that are models, and starts nothing, until it is used", async () => {
    await expect.poll(() => editor.trace.searches.length).toBe(1);
    expect(editor.trace.watchers).toEqual(editor.trace.searches);
    const names = /^\*\*\/\{(.*)\}$/.exec(editor.trace.searches[0] ?? "")?.[1]?.split(",") ?? [];
    expect(names.filter((name) => !STANDING_FILES.some((known) => known === name))).toEqual([]);
    await extension.deactivate();
    expect(editor.trace.logged).toEqual([]);
  });

  it("tells the Explorer's menu which folders are models", async () => {
    editor.trace.found.push("/w/llama/model.safetensors", "/w/lora/adapter_model.safetensors", "/w/lora/adapter_model.bin");
    await expect.poll(() => editor.trace.executed).toEqual([["setContext", "ranklens.modelFolders", ["/w/llama", "/w/lora"]]]);
  });

  it("opens a folder as the file that stands for it", async () => {
    editor.trace.folders.set("/w/llama", ["config.json", "model.safetensors", "tokenizer.json"]);
    await run("ranklens.analyzeRanks", editor.Uri.file("/w/llama"));
    expect(editor.trace.errors).toEqual([]);
    expect(editor.trace.executed.at(-1)).toEqual(["vscode.openWith", expect.objectContaining({ path: "/w/llama/model.safetensors" }), "ranklens.report", { preview: false }]);
  });

  it("says what is wrong with a folder that is no model, or several", async () => {
    editor.trace.folders.set("/w/src", ["main.py"]);
    editor.trace.folders.set("/w/runs", ["a.onnx", "b.onnx"]);
    await run("ranklens.analyzeRanks", editor.Uri.file("/w/src"));
    await run("ranklens.analyzeRanks", editor.Uri.file("/w/runs"));
    expect(editor.trace.errors).toEqual([expect.stringContaining("src holds no model"), expect.stringContaining("runs holds several models: a.onnx, b.onnx.")]);
  });

  it("tells a person what is wrong with a file that it cannot read, and where", async () => {
    await run("ranklens.analyzeRanks", editor.Uri.file("/w/notes.txt"));
    expect(editor.trace.errors).toEqual([expect.stringMatching(/notes\.txt is not a model file.*It reads/)]);
    expect(editor.trace.executed).toEqual([]);
  });

  it("does not let a file's name put a link into a message", async () => {
    await run("ranklens.analyzeRanks", editor.Uri.file("/w/[click](command:evil).txt"));
    expect(editor.trace.errors).toHaveLength(1);
    expect(editor.trace.errors[0]).not.toContain("](");
  });

  it("copies paths, shows the log and opens the walkthrough by commands", async () => {
    await run("ranklens.showLog");
    expect(editor.trace.logged).toEqual(["shown"]);
    await run("ranklens.openWalkthrough");
    expect(editor.trace.executed[0]?.slice(0, 2)).toEqual(["workbench.action.openWalkthrough", "ranklens.ranklens#start"]);
    await run("ranklens.openReport", "/w/net.onnx");
    expect(editor.trace.executed[1]).toEqual(["vscode.openWith", expect.objectContaining({ path: "/w/net.onnx" }), "ranklens.report", {}]);
  });

  it("gives back everything when it is disposed", () => {
    for (const subscription of subscriptions) subscription.dispose();
  });
});
