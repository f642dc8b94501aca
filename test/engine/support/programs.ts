import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..", "..", "..");

export interface Programs {
  readonly engine: string;
  readonly cli: string;
  readonly planning: string;
  readonly apply: string;
  readonly verify: string;
  remove(): void;
}

/**
 * The Node programs as scripts/build.mjs bundles them, from the sources as they are now, in a folder of this
 * test run: a stale dist/ must not pass for the product.
 */
export async function buildPrograms(): Promise<Programs> {
  const folder = join(root, "test-results", `programs-${process.pid}`);
  await build({
    absWorkingDir: root,
    entryPoints: { engine: "src/engine/main.ts", compute: "src/engine/computeMain.ts", planning: "src/engine/planning/planningMain.ts", apply: "src/engine/applyMain.ts", compare: "src/engine/compareMain.ts", verify: "src/verify/main.ts", cli: "src/cli.ts" },
    outdir: folder,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    loader: { ".py": "text" },
    external: ["vscode", "onnxruntime-node"],
    mainFields: ["module", "main"],
    logLevel: "error",
  });
  copyFileSync(join(root, ".wasm", "kernels.wasm"), join(folder, "kernels.wasm"));
  return { engine: join(folder, "engine.js"), cli: join(folder, "cli.js"), apply: join(folder, "apply.js"), planning: join(folder, "planning.js"), verify: join(folder, "verify.js"), remove: () => rmSync(folder, { recursive: true, force: true }) };
}
