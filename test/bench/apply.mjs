// npm run bench:apply [-- --rounds N] [--keep FOLDER]: writing models of 100 MB by a given plan, against their own analysis and
// against a plain PyTorch loop, in turn; the table goes to results/apply.md. Needs npm run build first.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const PYTHON = "/usr/bin/python3";
/** What is promised: the time of writing ÷ that of the analysis. */
const PROMISE = 1.5;
const MODELS = [
  { kind: "resnet50", title: "ResNet-50's shapes, ONNX", file: "resnet50.onnx", scheme: "channel" },
  { kind: "transformer", title: "GPT-2 small's blocks, safetensors", file: "transformer.safetensors", scheme: "svd" },
  { kind: "wide", title: "Six matrices of 2048², safetensors", file: "wide.safetensors", scheme: "svd" },
];
const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" }, keep: { type: "string" } } });
const rounds = Number(values.rounds);
const folder = values.keep ?? mkdtempSync(join(tmpdir(), "ranklens-bench-"));
const cli = join(here, "../../dist/cli.js");
mkdirSync(folder, { recursive: true });

/** @returns seconds, and what was printed */
function timed(command, ...args) {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 2 ** 28, stdio: ["ignore", "pipe", "pipe"] });
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`);
  return { seconds: (performance.now() - start) / 1000, stdout };
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const lines = [];
for (const { kind, title, file, scheme } of MODELS) {
  const path = join(folder, file);
  if (!existsSync(path)) timed(PYTHON, join(here, "make_apply_model.py"), kind, path);
  const plan = join(folder, `${kind}.json`);
  writeFileSync(plan, timed(process.execPath, cli, "factorize", path, "--budget", "params:0.5", "--scheme", scheme, "--dry-run", "--no-cache", "--json").stdout);
  const times = { analysis: [], apply: [], torch: [] };
  for (let round = 0; round < rounds; round++) {
    times.analysis.push(timed(process.execPath, cli, "analyze", path, "--no-cache", "--json").seconds);
    times.apply.push(timed(process.execPath, cli, "factorize", path, "--out", join(folder, `out${extname(file)}`), "--ranks", plan, "--json").seconds);
    times.torch.push(timed(PYTHON, join(here, "torch_factorize.py"), path, plan, join(folder, `torch${extname(file)}`)).seconds);
  }
  const ratio = (peer) => median(times.apply.map((seconds, round) => seconds / times[peer][round])).toFixed(2);
  const seconds = (what) => `${median(times[what]).toFixed(1)} s`;
  lines.push(`| ${title} | ${(statSync(path).size / 1e6).toFixed(0)} MB | ${seconds("analysis")} | ${seconds("apply")} | ${seconds("torch")} | ${ratio("analysis")} (${PROMISE.toFixed(2)}) | ${ratio("torch")} |`);
  console.log(lines.at(-1));
}
if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });

mkdirSync(join(here, "results"), { recursive: true });
writeFileSync(join(here, "results/apply.md"), `# Writing a model by a given plan

Plans leave half of the parameters (\`params:0.5\`, least total error). Analysis is \`ranklens analyze --no-cache\`, apply is
\`ranklens factorize --ranks PLAN.json\`: both whole commands, from a cold start. PyTorch is \`torch.linalg.svd\` of each layer and a file of
the same kind (torch_factorize.py). Medians of ${rounds} rounds, in turn: analysis, apply, PyTorch, and again; ratios are medians of one
round's ratios, in brackets what is promised.

| model | size | analysis | apply | PyTorch | apply ÷ analysis | apply ÷ PyTorch |
|---|---|---|---|---|---|---|
${lines.join("\n")}

Machine: ${cpus().length} cores of ${cpus()[0].model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GB, Node ${process.versions.node}. Load of the machine at the end: ${loadavg()[0].toFixed(1)} (2 is this benchmark's own).
Made with \`npm run bench:apply\`.
`);
