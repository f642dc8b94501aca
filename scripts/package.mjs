// npm run package [-- --target linux-x64]: a VSIX for one platform, with only that platform's ONNX Runtime.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { installPackages, must, root } from "./setup.mjs";

const MEGABYTE = 1024 * 1024;
/** A package is fetched with every update, by each remote machine too. Windows' and the Mac's ONNX Runtime are larger (28 and 25 MB in all). */
const MAX_MEGABYTES = { "linux-x64": 25, others: 32 };
/** What may be in a package; each has its place in .vscodeignore too, which allows the same folders. */
const ALLOWED = [
  /^(package\.json|package\.nls(\.[\w-]+)?\.json|readme\.md|changelog\.md|license(\.txt)?)$/i,
  /^l10n\/[\w.-]+\.json$/,
  /^media\/.+\.(png|svg|md)$/,
  /^dist\/((extension|engine|compute|planning|apply|compare|verify|cli)\.js|kernels\.wasm|ThirdPartyNotices\.txt)$/,
  /^dist\/webview\/[\w-]+\.(js|css|ttf)$/,
  /^dist\/node_modules\/(onnxruntime-node|onnxruntime-common)\/(package\.json|LICENSE|dist\/.+\.js|dist\/.*package\.json)$/,
];
/** What no package works without, beside the files that package.json names. */
const REQUIRED = ["README.md", "dist/engine.js", "dist/compute.js", "dist/planning.js", "dist/apply.js", "dist/compare.js", "dist/verify.js", "dist/kernels.wasm", "dist/ThirdPartyNotices.txt", "dist/cli.js", "dist/webview/report.js", "dist/webview/report.css", "dist/webview/wizard.js", "dist/webview/wizard.css", "dist/webview/planner.js", "dist/webview/planner.css"];

const { values } = parseArgs({ options: { target: { type: "string", default: `${process.platform}-${process.arch}` } } });
const target = values.target;
const [platform, arch] = target.split("-");

installPackages();
must("node", ["scripts/build.mjs", "--production"]);
stageOnnxRuntime();
checkContents();
const out = join(root, `ranklens-${target}.vsix`);
rmSync(out, { force: true });
must("npx", ["vsce", "package", "--no-dependencies", "--allow-missing-repository", "--no-rewrite-relative-links", "--target", target, "--out", out], { stdio: ["ignore", "ignore", "inherit"] });
checkSize(out);

/** The bundles load it from dist/node_modules, and only when a model is run. */
function stageOnnxRuntime() {
  const staged = join(root, "dist", "node_modules");
  for (const name of ["onnxruntime-node", "onnxruntime-common"]) {
    const from = join(root, "node_modules", name);
    mkdirSync(join(staged, name), { recursive: true });
    for (const part of ["package.json", "LICENSE", "dist"].filter((each) => existsSync(join(from, each)))) {
      cpSync(join(from, part), join(staged, name, part), { recursive: true, filter: isRuntime });
    }
  }
  const binaries = join(root, "node_modules", "onnxruntime-node", "bin");
  for (const api of readdirSync(binaries)) {
    const from = join(binaries, api, platform, arch);
    if (existsSync(from)) cpSync(from, join(staged, "onnxruntime-node", "bin", api, platform, arch), { recursive: true });
    else console.log(`ONNX Runtime has no binary for ${target}; the package goes without it.`);
  }
}

/** Type declarations, source maps and the browser's bundles are of no use at run time. */
function isRuntime(path) {
  return !/\.(d\.[cm]?ts|map)$/.test(path) && !/onnxruntime-common[\\/]dist[\\/](esm|ort)/.test(path);
}

function checkContents() {
  const { status, stdout, stderr } = spawnSync("npx", ["vsce", "ls", "--no-dependencies"], { cwd: root, encoding: "utf8", shell: process.platform === "win32" });
  if (status !== 0) fail(`vsce could not list the package:\n${stderr}`);
  const files = stdout.split(/\r?\n/).filter((line) => line !== "");
  const binary = new RegExp(`^dist/node_modules/onnxruntime-node/bin/napi-v\\d+/${platform}/${arch}/[^/]+$`);
  const strays = files.filter((file) => !binary.test(file) && !ALLOWED.some((pattern) => pattern.test(file)));
  if (strays.length > 0) fail(`The package would hold files that do not belong there:\n${strays.join("\n")}`);
  const missing = [...REQUIRED, ...namedFiles()].filter((file) => !files.includes(file));
  if (missing.length > 0) fail(`The package would lack files that it needs:\n${missing.join("\n")}`);
}

/** Every file of the package that package.json names: program, icons, pictures of the walkthrough. */
function namedFiles() {
  const named = new Set();
  JSON.stringify(JSON.parse(readFileSync(join(root, "package.json"), "utf8")), (_, value) => {
    const path = typeof value === "string" ? value.replace(/^\.\//, "") : "";
    if (/^(media|dist)\/\S+\.\w+$/.test(path)) named.add(path);
    return value;
  });
  return [...named];
}

function checkSize(file) {
  const { size } = statSync(file);
  console.log(`${file.slice(root.length + 1)}: ${(size / MEGABYTE).toFixed(1)} MB`);
  const limit = MAX_MEGABYTES[target] ?? MAX_MEGABYTES.others;
  if (size > limit * MEGABYTE) fail(`The package is larger than ${limit} MB.`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
