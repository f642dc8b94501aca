// node test/bench/scaling.mjs [--largest N] [--layers N]: time against the size of a matrix and against the number of layers.
// Writes test/bench/results/scaling.md, with a plot of text: no other program is needed to look at it.
import { build } from "esbuild";
import { fork, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compileKernelsIfStale, workFolder } from "../../scripts/wasm.mjs";

const SIZES = [256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144];
const LAYERS = [16, 32, 64, 128, 256];
/** Side of the layers of a model. */
const SIDE = 512;
const ROUNDS = 5;
const PLOT_WIDTH = 50;
const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const { values: options } = parseArgs({ options: { largest: { type: "string", default: "6144" }, layers: { type: "string", default: "256" } } });
const folder = mkdtempSync(join(tmpdir(), "ranklens-bench-"));
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

compileKernelsIfStale();
const bundle = join(workFolder, "benchWorker.cjs");
await build({ entryPoints: [join(here, "worker.ts")], outfile: bundle, bundle: true, platform: "node", format: "cjs", target: "node20", external: ["onnxruntime-node"] });

/** Time of one matrix on one thread; the sizes take turns, so that a change of the machine's load meets all of them. */
async function timesOfSizes(sizes) {
  const worker = fork(bundle, ["1"]);
  const answer = () => new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("exit", (code) => reject(new Error(`The worker ended with ${code}.`)));
  }).finally(() => worker.removeAllListeners("exit"));
  await answer();
  const times = sizes.map(() => []);
  for (const size of sizes) writeFileSync(join(folder, String(size)), noise(size * size));
  for (let round = -1; round < ROUNDS; round++) {
    for (const [i, size] of sizes.entries()) {
      const next = answer();
      worker.send({ file: join(folder, String(size)), rows: size, columns: size, count: 1, what: "values" });
      const { ms } = await next;
      // The first round warms up.
      if (round >= 0) times[i].push(ms);
    }
  }
  worker.kill();
  return times.map(median);
}

/** Time of `ranklens analyze`, cold to finished, for models of so many layers of 512 × 512. */
function timesOfModels(counts) {
  const times = counts.map(() => []);
  for (const count of counts) writeModel(join(folder, `${count}.safetensors`), count);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, count] of counts.entries()) {
      const start = performance.now();
      const { status, stderr } = spawnSync(process.execPath, [join(root, "dist/cli.js"), "analyze", join(folder, `${count}.safetensors`), "--no-cache", "--json", "--out", join(folder, "report.json")], { encoding: "utf8" });
      if (status !== 0) throw new Error(stderr);
      times[i].push(performance.now() - start);
    }
  }
  return times.map(median);
}

function writeModel(path, count) {
  const bytes = SIDE * SIDE * 4;
  const header = Buffer.from(JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`layers.${i}.weight`, { dtype: "F32", shape: [SIDE, SIDE], data_offsets: [i * bytes, (i + 1) * bytes] }]))));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path, Buffer.concat([length, header, ...Array.from({ length: count }, () => noise(SIDE * SIDE))]));
}

function noise(length) {
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) values[i] = Math.random() - 0.5;
  return Buffer.from(values.buffer);
}

/** Rows of a table; the exponent is that of the time between a line and the one before: 3 is what products of matrices take. */
function table(head, sizes, times) {
  const largest = Math.log(Math.max(...times)), smallest = Math.log(Math.min(...times) / 2);
  const lines = sizes.map((size, i) => {
    const exponent = i === 0 ? "" : (Math.log(times[i] / times[i - 1]) / Math.log(size / sizes[i - 1])).toFixed(2);
    const bar = "█".repeat(Math.max(1, Math.round((PLOT_WIDTH * (Math.log(times[i]) - smallest)) / (largest - smallest))));
    return `| ${size} | ${times[i].toFixed(1)} | ${exponent} | \`${bar}\` |`;
  });
  return [`| ${head} | ms | exponent | time, logarithmic |`, "| ---: | ---: | ---: | :--- |", ...lines].join("\n");
}

const sizes = SIZES.filter((size) => size <= Number(options.largest));
const counts = LAYERS.filter((count) => count <= Number(options.layers));
try {
  const [ofSizes, ofModels] = [await timesOfSizes(sizes), timesOfModels(counts)];
  const text = `# Time against size

Medians of ${ROUNDS} rounds in turn. The exponent p says that time grew as size to the power of p since the line before.

## All singular values of n × n, float32, one thread
${table("n", sizes, ofSizes)}

## \`ranklens analyze\` of a model of so many layers of ${SIDE} × ${SIDE}, from a cold start, on all cores
${table("layers", counts, ofModels)}

Machine: ${cpus().length} × ${cpus()[0]?.model.trim() ?? "?"}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}. Load at the end: ${loadavg()[0].toFixed(1)} (what runs here is up to ${cpus().length} of it). Made with \`node test/bench/scaling.mjs\`.
`;
  console.log(text);
  writeFileSync(join(here, "results/scaling.md"), text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
