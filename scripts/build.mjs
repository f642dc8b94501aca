import { build, context } from "esbuild";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { notices } from "./notices.mjs";
import { compileKernels } from "./wasm.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const watch = process.argv.includes("--watch");

/** Programs of the Node side; each is one file in dist/. */
const programs = { extension: "src/extension.ts", engine: "src/engine/main.ts", compute: "src/engine/computeMain.ts", planning: "src/engine/planning/planningMain.ts", apply: "src/engine/applyMain.ts", compare: "src/engine/compareMain.ts", verify: "src/verify/main.ts", cli: "src/cli.ts" };
/** Every folder webview/NAME with a main.tsx is a page: dist/webview/NAME.js and .css. */
const pages = Object.fromEntries(
  readdirSync(join(root, "webview"))
    .filter((name) => existsSync(join(root, "webview", name, "main.tsx")))
    .map((name) => [name, `webview/${name}/main.tsx`]),
);
const production = process.argv.includes("--production");
const common = { absWorkingDir: root, bundle: true, sourcemap: !production, minify: production, logLevel: "warning", legalComments: "none", metafile: true };
/** The recipes' Python modules are bundled as text. */
const loader = { ".py": "text" };

const targets = [
  {
    ...common,
    entryPoints: programs,
    outdir: "dist",
    platform: "node",
    target: "node20",
    format: "cjs",
    loader,
    // Provided by the editor, and native code that is packaged beside the bundle.
    external: ["vscode", "onnxruntime-node"],
    mainFields: ["module", "main"],
  },
  { ...common, entryPoints: pages, outdir: "dist/webview", platform: "browser", target: "es2022", format: "iife", jsx: "automatic", jsxImportSource: "preact" },
];

if (watch) {
  for (const target of targets) await (await context(target)).watch();
} else {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  // esbuild has told what is wrong and where.
  const results = await Promise.all(targets.map((target) => build(target))).catch(() => process.exit(1));
  if (production) writeFileSync(join(root, "dist", "ThirdPartyNotices.txt"), notices(root, results.map(({ metafile }) => metafile)));
}

compileKernels(join(root, "dist"));
