import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { factorsFor, workOf } from "../../src/factorize/apply";
import { AtomicFiles } from "../../src/factorize/atomic";
import { considerLayers } from "../../src/factorize/candidates";
import { PLAN_SCHEMA, type Plan } from "../../src/factorize/plan";
import { ALLOCATIONS, propose, type AllocationId } from "../../src/factorize/propose";
import type { Factor, SchemeId } from "../../src/factorize/scheme";
import { ready } from "../../src/factorize/source";
import { openSource } from "../../src/factorize/sources";
import { exactSolver } from "../../src/linalg/exactSolver";
import { exactSvd } from "../../src/linalg/svd";
import { openModel } from "../../src/models/formats";
import { DEFAULT_OPEN_OPTIONS } from "../../src/models/model";
import { mnistAccuracy, storyPerplexity, type Score } from "./qualityScores";

/** Score against size on real models that come with data, for every scheme and way to share a budget. Writes docs/quality.md. */
const [models = "", out = ""] = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), "ranklens-quality-"));

interface Task {
  readonly file: string;
  readonly title: string;
  readonly score: Score;
  readonly digits: number;
  readonly schemes: readonly (SchemeId | "auto")[];
  readonly shares: readonly number[];
  readonly remark: string;
}

/** One candidate: the share of parameters it has, and its score. Null when the budget cannot be met. */
async function candidate(task: Task, scheme: SchemeId | "auto", allocation: AllocationId, share: number): Promise<number | null> {
  const path = join(models, task.file);
  const model = await openModel(path);
  const source = await openSource(model, DEFAULT_OPEN_OPTIONS, "factored");
  try {
    const considered = await considerLayers(model.layers, source, { scheme, included: (name) => task.file.includes("mnist") && name !== "", excluded: () => false, known: () => null, read: (layer) => model.read(layer.tensor), solver: exactSolver });
    const total = model.summary.parameters;
    const { layers } = propose(considered, { kind: "budget", budget: { unit: "params", amount: Math.floor(share * total), allocation } }, total, String);
    const plan: Plan = { schema: PLAN_SCHEMA, tool: { name: "ranklens", version: "" }, source: { file: "", format: "onnx", sha256: "", parameters: total }, choice: "", layers };
    const factors = new Map<string, readonly Factor[]>();
    for (const work of workOf(plan, model, source)) factors.set(work.name, await factorsFor(work, model, exactSvd));
    const files = new AtomicFiles();
    const output = join(work, "candidate.onnx");
    await source.write(ready(factors), output, files);
    await files.commit();
    return await task.score(output);
  } catch (error) {
    if (error instanceof Error && error.message.includes("cannot be met")) return null;
    throw error;
  } finally {
    await Promise.all([source.close(), model.close()]);
  }
}

async function table(task: Task): Promise<string> {
  const original = await task.score(join(models, task.file));
  const lines = [`## ${task.title}`, "", `${task.remark} The original: ${original.toFixed(task.digits)}.`, "", `| scheme | budget shared by | ${task.shares.map((share) => `${Math.round(100 * share)} %`).join(" | ")} |`, `|---|---|${task.shares.map(() => "---:").join("|")}|`];
  for (const scheme of task.schemes) {
    for (const allocation of Object.keys(ALLOCATIONS) as AllocationId[]) {
      const cells: string[] = [];
      for (const share of task.shares) {
        const score = await candidate(task, scheme, allocation, share);
        cells.push(score === null ? "–" : score.toFixed(score >= 1000 ? 0 : task.digits));
      }
      lines.push(`| ${scheme} | ${allocation} | ${cells.join(" | ")} |`);
      console.error(lines.at(-1));
    }
  }
  return lines.join("\n");
}

async function main(): Promise<void> {
  if (!existsSync(models)) throw new Error(`no models in ${models}`);
  const stories = "derived/onnx/tinystories_656k_fp32.onnx";
  const tasks: Task[] = [
    { file: "onnx/ort_mnist_cnn.onnx", title: "ort_mnist_cnn: accuracy on MNIST's test images, %", score: mnistAccuracy(models), digits: 2, schemes: ["channel", "spatial", "tucker2", "auto"], shares: [0.9, 0.8, 0.7, 0.6], remark: "Two convolutions of 3,400 of the 6,000 parameters; the rest stays as it is." },
    { file: stories, title: "tinystories_656k: perplexity on the original's own stories", score: await storyPerplexity(join(models, stories)), digits: 2, schemes: ["svd"], shares: [0.9, 0.8, 0.7, 0.6], remark: "The linear layers; embedding and head, 56 % of the parameters, stay as they are." },
  ];
  const parts = ["# Quality: score against size", "", "Written by `npm run quality`. Columns are the share of the whole model's parameters that the budget leaves. No retraining and no data: ranks follow from the weights alone. `equal-ratio`, every layer at the same share, is what most tools do."];
  for (const task of tasks) parts.push("", await table(task));
  writeFileSync(out, `${parts.join("\n")}\n`);
}

void main().finally(() => rmSync(work, { recursive: true, force: true }));
