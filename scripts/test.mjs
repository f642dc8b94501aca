// npm test: everything from a fresh clone to "N passed, N failed".
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { installPackages, must, root } from "./setup.mjs";
import { ensureTools, packagesOf } from "./systemTools.mjs";

/** Layers in order, and the tools each needs. */
const LAYERS = [
  { name: "unit", tools: [] },
  { name: "engine", tools: [] },
  { name: "reference", tools: ["python"] },
  { name: "webview", tools: ["chromium"] },
  { name: "editor", tools: ["chromium", "compiler"] },
];
const results = join(root, "test-results");
const only = process.argv.slice(2);
const layers = LAYERS.filter(({ name }) => only.length === 0 || only.includes(name));

installPackages();
const missing = new Set(ensureTools([...new Set(layers.flatMap(({ tools }) => tools))]));
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

let passed = 0;
let failed = 0;
const notes = [];
const check = (name, command, args) => {
  console.log(`\n── ${name}`);
  const ok = spawnSync(command, args, { cwd: root, stdio: "inherit", shell: process.platform === "win32" }).status === 0;
  if (ok) passed++;
  else failed++;
};

must("node", ["scripts/package.mjs"]);
if (only.length === 0) {
  check("types", "npx", ["tsc", "--noEmit", "-p", "."]);
  check("types of the pages", "npx", ["tsc", "--noEmit", "-p", "webview"]);
  check("lint", "npx", ["eslint", "."]);
}
for (const { name, tools } of layers) {
  const lacking = tools.filter((tool) => missing.has(tool));
  if (lacking.length > 0) {
    // In CI a layer that cannot run is a failure; elsewhere the person is told what to install.
    if (process.env.CI) failed++;
    notes.push(`${name} was not run: install ${lacking.map(packagesOf).join(" ")}.`);
    continue;
  }
  console.log(`\n── ${name}`);
  const report = join(results, `${name}.json`);
  const { status } = spawnSync("npx", ["vitest", "run", "--project", name, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`], {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  const counts = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : { numPassedTests: 0, numFailedTests: 0 };
  passed += counts.numPassedTests;
  // A file that does not even load fails without a failed test.
  failed += Math.max(counts.numFailedTests, status === 0 ? 0 : 1);
}
for (const note of notes) console.log(note);
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
