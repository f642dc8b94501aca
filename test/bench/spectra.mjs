// npm run bench [-- SHAPE …]: spectra against torch.linalg.svdvals and numpy, in turn; the table goes to results/spectra.md.
import { build } from "esbuild";
import { fork, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem, release } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { compileKernelsIfStale, workFolder } from "../../scripts/wasm.mjs";

/**
 * Shape, rounds, rounds of numpy (which is not what is measured against), matrices that each of two processes takes in a
 * row for "many", and what is promised: time ÷ torch for one matrix and for many.
 */
const SHAPES = [
  { rows: 512, columns: 512, rounds: 15, numpy: 5, row: 16, one: 1.0, many: 0.6 },
  { rows: 1024, columns: 1024, rounds: 11, numpy: 5, row: 8, one: 0.8, many: 0.45 },
  { rows: 768, columns: 3072, rounds: 11, numpy: 5, row: 8, one: 0.5, many: 0.3 },
  { rows: 2048, columns: 2048, rounds: 7, numpy: 3, row: 4, one: 0.5, many: 0.33 },
  { rows: 4096, columns: 4096, rounds: 5, numpy: 1, row: 2, one: 0.4, many: 0.33 },
  { rows: 4096, columns: 11008, rounds: 5, numpy: 0, row: 2, one: 0.45, many: 0.4 },
];
const here = dirname(fileURLToPath(import.meta.url));
const wanted = process.argv.slice(2);
const nameOf = ({ rows, columns }) => (rows === columns ? `${rows}²` : `${rows}×${columns}`);
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

compileKernelsIfStale();
const bundle = join(workFolder, "benchWorker.cjs");
await build({ entryPoints: [join(here, "worker.ts")], outfile: bundle, bundle: true, platform: "node", format: "cjs", target: "node20", external: ["onnxruntime-node"] });
const folder = mkdtempSync(join(tmpdir(), "ranklens-bench-"));

function worker(threads) {
  const child = fork(bundle, [String(threads)]);
  const next = () => new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`The worker ended with ${code}.`)));
  }).finally(() => child.removeAllListeners("exit"));
  return { ready: next(), run: (request) => (child.send(request), next()), end: () => child.kill() };
}

const python = spawn("/usr/bin/python3", [join(here, "peers.py")], { stdio: ["pipe", "pipe", "inherit"] });
const answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
const ask = async (what, file, { rows, columns }) => {
  python.stdin.write(`${what} ${file} ${rows} ${columns}\n`);
  return Number((await answers.next()).value);
};

const single = worker(Math.min(2, cpus().length));
const pair = [worker(1), worker(1)];
const { ready: description } = await single.ready;
await Promise.all(pair.map(({ ready }) => ready));

/** OpenBLAS, which both peers use, keeps its threads spinning for 2²⁶ cycles after a call: nobody is to be timed beside them. */
const rest = () => setTimeout(60);

const lines = [];
for (const shape of SHAPES.filter((each) => wanted.length === 0 || wanted.includes(nameOf(each)))) {
  const { rows, columns, rounds } = shape;
  const file = join(folder, "matrix");
  await ask("make", file, shape);
  const request = { file, rows, columns, count: 1, what: "values" };
  const times = { one: [], many: [], torch: [], numpy: [] };
  let found;
  for (let round = -1; round < rounds; round++) {
    await rest();
    found = await single.run(request);
    await rest();
    const both = await Promise.all(pair.map((each) => each.run({ ...request, count: shape.row })));
    await rest();
    const torch = await ask("torch", file, shape);
    await rest();
    const numpy = round < shape.numpy && round >= 0 ? await ask("numpy", file, shape) : undefined;
    // The first round warms up.
    if (round < 0) continue;
    times.one.push(found.ms);
    times.many.push((both[0].ms + both[1].ms) / 2 / 2);
    times.torch.push(torch);
    if (numpy !== undefined) times.numpy.push(numpy);
  }
  const reference = new Float64Array(new Uint8Array(readFileSync(`${file}.${times.numpy.length > 0 ? "numpy" : "torch"}`)).buffer);
  const error = Math.max(...found.values.map((value, i) => Math.abs(value - reference[i]))) / reference[0];
  const ratio = (what) => median(times[what].map((ms, i) => ms / times.torch[i]));
  const ms = (what) => (times[what].length > 0 ? median(times[what]).toFixed(1) : "–");
  const mark = (value, promise) => `${value.toFixed(2)} (${promise.toFixed(2)})`;
  const line = `| ${nameOf(shape)} | ${ms("one")} | ${ms("many")} | ${ms("torch")} | ${ms("numpy")} | ${mark(ratio("one"), shape.one)} | ${mark(ratio("many"), shape.many)} | ${error.toExponential(1)}${times.numpy.length > 0 ? "" : " (torch)"} | ${rounds} |`;
  console.log(line);
  lines.push(line);
}

/** What costs more or less than values: σ₁ with its bound, and all vectors; two threads each. */
const VECTORS = [{ rows: 512, columns: 512 }, { rows: 1024, columns: 1024 }, { rows: 2048, columns: 2048 }];
const vectorLines = [];
for (const shape of VECTORS.filter(() => wanted.length === 0 || wanted.includes("vectors"))) {
  const file = join(folder, "matrix");
  await ask("make", file, shape);
  const times = { leading: [], triplets: [], torch: [], torchsvd: [] };
  for (let round = -1; round < 5; round++) {
    for (const what of Object.keys(times)) {
      await rest();
      const ms = what.startsWith("torch") ? await ask(what, file, shape) : (await single.run({ file, ...shape, count: 1, what })).ms;
      if (round >= 0) times[what].push(ms);
    }
  }
  const line = `| ${nameOf(shape)} | ${Object.values(times).map((each) => median(each).toFixed(1)).join(" | ")} | ${median(times.triplets.map((ms, i) => ms / times.torchsvd[i])).toFixed(2)} |`;
  console.log(line);
  vectorLines.push(line);
}
single.end();
for (const each of pair) each.end();
python.stdin.end();
rmSync(folder, { recursive: true, force: true });

const { model } = cpus()[0];
const text = `# Spectra: time against PyTorch and numpy

All singular values of a float32 matrix of normally distributed entries, in milliseconds (medians, in turn: one matrix, two at once,
torch, numpy, and again; of each turn the first run is not counted, but numpy's). "One" is one matrix on two threads; "many" is two processes of one thread each, 2 to 16 matrices in a row each, time for each matrix.
The ratios are medians of one round's ratios to \`torch.linalg.svdvals\` on two threads; in brackets what is promised. The last but one
column is max |Δσ|/σ₁ against numpy, which computes in float64.

| shape | one | many | torch | numpy | one ÷ torch | many ÷ torch | error | rounds |
|---|---|---|---|---|---|---|---|---|
${lines.join("\n")}

numpy runs once at 4096² and not at 4096×11008, where torch is what the error is against.

## σ₁, and vectors
| shape | σ₁ with its bound | all triplets (float64) | torch svdvals | torch svd (float32) | triplets ÷ torch svd |
|---|---|---|---|---|---|
${vectorLines.join("\n")}

Machine: ${cpus().length} cores of ${model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GB, ${process.platform} ${release()}, Node ${process.versions.node}, ${description}.
Load of the machine at the end: ${loadavg()[0].toFixed(1)} (2 is this benchmark's own). Made with \`npm run bench\`.
`;
if (wanted.length === 0) writeFileSync(join(here, "results", "spectra.md"), text);
