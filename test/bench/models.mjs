// node test/bench/models.mjs [--blocks N] [--runs N] [--peer-runs N] [--keep FOLDER]: whole models, cold to finished,
// against a plain PyTorch loop over the same file. Writes test/bench/results/models.md.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const PYTHON = "/usr/bin/python3";
const SAMPLE_MS = 50;
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const { values } = parseArgs({
  options: { blocks: { type: "string", default: "3" }, runs: { type: "string", default: "5" }, "peer-runs": { type: "string" }, keep: { type: "string" } },
});
const runs = Number(values.runs);
const peerRuns = Number(values["peer-runs"] ?? runs);
const folder = values.keep ?? mkdtempSync(join(tmpdir(), "ranklens-bench-"));
const gpt2 = join(folder, "gpt2.safetensors");
const llama = join(folder, `llama-${values.blocks}`);

mkdirSync(folder, { recursive: true });
if (!existsSync(gpt2)) make("gpt2", gpt2);
if (!existsSync(join(llama, "model.safetensors.index.json"))) make("llama", llama, values.blocks);

const cli = join(root, "dist/cli.js");
const lines = [];
for (const [name, path] of [["GPT-2 small, float32", gpt2], [`Llama-2-7B, ${values.blocks} blocks, bfloat16`, join(llama, "model.safetensors.index.json")]]) {
  const [sweep, full, peer] = [[], [], []];
  for (let run = 0; run < Math.max(runs, peerRuns); run++) {
    if (run < runs) {
      sweep.push(await measure(process.execPath, [cli, "analyze", path, "--estimate", "--no-cache", "--json"]));
      full.push(await measure(process.execPath, [cli, "analyze", path, "--no-cache", "--json"]));
    }
    if (run < peerRuns) peer.push(await measure(PYTHON, [join(here, "torch_loop.py"), path]));
  }
  const seconds = (all) => median(all.map((each) => each.seconds));
  const gigabytes = (all) => (Math.max(...all.map((each) => each.bytes)) / 2 ** 30).toFixed(2);
  const peerSeconds = peer.length === 0 ? NaN : seconds(peer);
  lines.push(`| ${name} | ${seconds(sweep).toFixed(1)} s | ${seconds(full).toFixed(1)} s | ${peerSeconds.toFixed(1)} s | ${(seconds(full) / peerSeconds).toFixed(2)} | ${gigabytes(full)} GiB | ${gigabytes(peer)} GiB |`);
  console.log(lines.at(-1));
}
if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });

const report = [
  "# Whole models, from a cold start to the finished report", "",
  `\`node test/bench/models.mjs --blocks ${values.blocks} --runs ${runs} --peer-runs ${peerRuns}\`, medians, each in turn with the peer; memory is the largest sum over all processes at one time (proportional set size).`,
  `Machine: ${cpus().length} × ${cpus()[0]?.model ?? "?"}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}, PyTorch ${torchVersion()} with all its threads.`, "",
  "| model | first sweep (`--estimate`) | all spectra | PyTorch loop | ratio | peak memory | PyTorch's |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: |", ...lines, "",
].join("\n");
mkdirSync(join(here, "results"), { recursive: true });
writeFileSync(join(here, "results/models.md"), report);

function make(...args) {
  console.log(`Making ${args[0]} …`);
  if (spawnSync(PYTHON, [join(here, "make_model.py"), ...args], { stdio: "inherit" }).status !== 0) process.exit(1);
}

/** Wall time, and the largest sum of memory over the process and its descendants. */
function measure(command, args) {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
    let bytes = 0;
    const timer = setInterval(() => { bytes = Math.max(bytes, memoryOf(child.pid)); }, SAMPLE_MS);
    child.on("error", reject);
    child.on("exit", (code) => {
      clearInterval(timer);
      if (code === 0) resolve({ seconds: (performance.now() - start) / 1000, bytes });
      else reject(new Error(`${command} ${args.join(" ")} ended with ${code}`));
    });
  });
}

function memoryOf(ancestor) {
  const parents = new Map();
  for (const name of readdirSync("/proc")) {
    if (/^\d+$/.test(name)) parents.set(Number(name), Number(/\) \w (\d+)/.exec(tryRead(`/proc/${name}/stat`))?.[1] ?? 0));
  }
  const descends = (pid) => pid === ancestor || (parents.has(pid) && descends(parents.get(pid)));
  return [...parents.keys()].filter(descends).reduce((sum, pid) => sum + 1024 * Number(/^Pss:\s+(\d+)/m.exec(tryRead(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0), 0);
}

function tryRead(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function torchVersion() {
  return spawnSync(PYTHON, ["-c", "import torch; print(torch.__version__)"], { encoding: "utf8" }).stdout.trim();
}
