import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { root } from "./support/package";

/** What runs in the engine's processes, not in the editor's extension host: readers, numerics, native code. */
const HEAVY = /^src\/(linalg|rank|models|engine\/(main|server|compute|analysis))|node_modules\/(ml-matrix|onnxruntime)/;

describe("the program that the editor loads", () => {
  it("holds no numerics and no reader of models, so that activation has nothing heavy to load", async () => {
    const { metafile } = await build({
      absWorkingDir: root, entryPoints: ["src/extension.ts"], bundle: true, write: false, metafile: true, platform: "node", loader: { ".py": "text" }, external: ["vscode"], mainFields: ["module", "main"], logLevel: "silent",
    });
    const [program] = Object.values(metafile.outputs);
    const used = Object.entries(program?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
    expect(used).toContain("src/extension.ts");
    expect(used.filter((path) => HEAVY.test(path))).toEqual([]);
  });
});
