import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/**
 * Measures score against size on the real models beside the repository, and writes docs/quality.md; of one model alone,
 * `npm run quality -- dtln`, to test-results/quality-dtln.md.
 */
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const only = process.argv[2];
const outfile = join(root, "test-results", `quality${only === undefined ? "" : `-${only}`}.cjs`);
const written = only === undefined ? "docs/quality.md" : `test-results/quality-${only}.md`;
mkdirSync(dirname(outfile), { recursive: true });
await build({ absWorkingDir: root, entryPoints: ["test/bench/quality.ts"], outfile, bundle: true, platform: "node", target: "node20", format: "cjs", external: ["onnxruntime-node"], logLevel: "error" });
execFileSync(process.execPath, [outfile, join(root, "../shared/models"), join(root, written), only ?? ""], { stdio: "inherit" });
rmSync(outfile);
