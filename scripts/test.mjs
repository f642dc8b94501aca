// npm test [-- LAYER…]: everything from a fresh clone to "N passed, N failed"; with names of layers, those alone.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { installPackages, root } from "./setup.mjs";
import { ensureTools, packagesOf } from "./systemTools.mjs";
import { installVscodeWeb } from "./vscodeWeb.mjs";

/** Layers in order, the tools each needs, whether it runs what the package holds, and what is made ready before it. */
const LAYERS = [
  { name: "unit", tools: [], packaged: false },
  { name: "engine", tools: [], packaged: false },
  { name: "reference", tools: ["python"], packaged: false },
  { name: "webview", tools: ["chromium"], packaged: true },
  { name: "editor", tools: ["chromium", "compiler", "python"], packaged: true, prepare: installVscodeWeb },
];
const results = join(root, "test-results");
const only = process.argv.slice(2);
const unknown = only.filter((name) => !LAYERS.some((layer) => layer.name === name));
if (unknown.length > 0) {
  console.error(`There is no layer ${unknown.join(", ")}; there are ${LAYERS.map(({ name }) => name).join(", ")}.`);
  process.exit(2);
}
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

if (layers.some(({ packaged }) => packaged)) check("package", "node", ["scripts/package.mjs"]);
if (only.length === 0) {
  check("types", "npx", ["tsc", "--noEmit", "-p", "."]);
  check("types of the pages", "npx", ["tsc", "--noEmit", "-p", "webview"]);
  check("lint", "npx", ["eslint", "."]);
}
for (const { name, tools, prepare } of layers) {
  const lacking = tools.filter((tool) => missing.has(tool));
  if (lacking.length > 0) {
    // In CI a layer that cannot run is a failure; elsewhere the person is told what to install.
    if (process.env.CI) failed++;
    notes.push(`${name} was not run: install ${lacking.map(packagesOf).join(" ")}.`);
    continue;
  }
  console.log(`\n── ${name}`);
  try {
    prepare?.();
  } catch (error) {
    failed++;
    notes.push(`${name} was not run: ${error.message}`);
    continue;
  }
  const report = join(results, `${name}.json`);
  const { status } = spawnSync("npx", ["vitest", "run", "--project", name, "--reporter=default", "--reporter=json", `--outputFile.json=${report}`], {
    cwd: root,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  const counts = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : {};
  const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = counts;
  const leftOut = numPendingTests + numTodoTests;
  if (leftOut > 0) notes.push(`${name}: ${leftOut} tests were skipped; a test that does not run counts as failed.`);
  passed += numPassedTests;
  // A file that does not even load fails without a failed test.
  failed += leftOut + Math.max(numFailedTests, status === 0 ? 0 : 1);
}
for (const note of notes) console.log(note);
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
