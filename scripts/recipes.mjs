import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** Trains the 8×8 digits with the recipes and without (Debian's python3-torch, python3-sklearn), and writes docs/recipes.md. */
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
execFileSync(process.execPath, [join(root, "scripts/build.mjs")], { stdio: "inherit" });
const outfile = join(root, "test-results", "recipes.cjs");
mkdirSync(dirname(outfile), { recursive: true });
await build({ absWorkingDir: root, entryPoints: ["test/bench/recipes.ts"], outfile, bundle: true, platform: "node", target: "node20", format: "cjs", logLevel: "error" });
execFileSync(process.execPath, [outfile, join(root, "dist/cli.js"), join(root, "test/bench/recipes_digits.py"), join(root, "docs/recipes.md")], { stdio: "inherit" });
rmSync(outfile);
