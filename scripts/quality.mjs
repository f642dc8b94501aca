import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Measures score against size on the real models beside the repository, and writes docs/quality.md. */
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const outfile = join(root, "test-results", "quality.cjs");
mkdirSync(dirname(outfile), { recursive: true });
await build({ absWorkingDir: root, entryPoints: ["test/bench/quality.ts"], outfile, bundle: true, platform: "node", target: "node20", format: "cjs", external: ["onnxruntime-node"], logLevel: "error" });
execFileSync(process.execPath, [outfile, join(root, "../shared/models"), join(root, "docs/quality.md")], { stdio: "inherit" });
rmSync(outfile);
