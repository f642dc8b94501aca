// npm run package [-- --target linux-x64]: a VSIX for one platform, with only that platform's ONNX Runtime.
import { cpSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { installPackages, must, root } from "./setup.mjs";

const { values } = parseArgs({ options: { target: { type: "string", default: `${process.platform}-${process.arch}` } } });
const [platform, arch] = values.target.split("-");
/** What the marketplace listing promises for linux-x64. */
const MAX_BYTES = 25 * 1024 * 1024;

installPackages();
must("node", ["scripts/build.mjs", "--production"]);

const require = createRequire(import.meta.url);
const staged = join(root, "dist", "node_modules");
for (const name of ["onnxruntime-node", "onnxruntime-common"]) {
  const from = dirname(require.resolve(`${name}/package.json`));
  mkdirSync(join(staged, name), { recursive: true });
  for (const part of ["package.json", "LICENSE", "dist"]) {
    if (readdirSync(from).includes(part)) cpSync(join(from, part), join(staged, name, part), { recursive: true, filter: isRuntime });
  }
}
const binaries = join(dirname(require.resolve("onnxruntime-node/package.json")), "bin");
for (const api of readdirSync(binaries)) {
  const from = join(binaries, api, platform, arch);
  try {
    cpSync(from, join(staged, "onnxruntime-node", "bin", api, platform, arch), { recursive: true });
  } catch {
    console.log(`ONNX Runtime has no binary for ${values.target}; the package goes without it.`);
  }
}

const out = join(root, `ranklens-${values.target}.vsix`);
rmSync(out, { force: true });
must("npx", ["vsce", "package", "--no-dependencies", "--target", values.target, "--out", out]);
const { size } = statSync(out);
console.log(`${out.slice(root.length + 1)}: ${(size / 1024 / 1024).toFixed(1)} MB`);
if (size > MAX_BYTES) {
  console.error(`The package is larger than ${MAX_BYTES / 1024 / 1024} MB.`);
  process.exit(1);
}

/** Type declarations, source maps and the browser's bundles are of no use at run time. */
function isRuntime(path) {
  return !/\.(d\.[cm]?ts|map)$/.test(path) && !/onnxruntime-common[\\/]dist[\\/](esm|ort)/.test(path);
}
