import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { compileKernels } from "./wasm.mjs";

/**
 * Measures score against size on the real models beside the repository, and writes docs/quality.md; of one model alone,
 * `npm run quality -- dtln`, to test-results/quality-dtln.md.
 */
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const only = process.argv[2];
const outdir = join(root, "test-results", `quality${only === undefined ? "" : `-${only}`}`);
const written = only === undefined ? "docs/quality.md" : `test-results/quality-${only}.md`;
mkdirSync(outdir, { recursive: true });
await build({ absWorkingDir: root, entryPoints: { quality: "test/bench/quality.ts", verify: "src/verify/main.ts" }, outdir, bundle: true, platform: "node", target: "node20", format: "cjs", external: ["onnxruntime-node"], logLevel: "error" });
compileKernels(outdir);
execFileSync(process.execPath, [join(outdir, "quality.js"), join(root, "../shared/models"), join(root, written), only ?? ""], { stdio: "inherit" });
rmSync(outdir, { recursive: true });
