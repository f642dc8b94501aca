import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { factorsFor, workOf } from "../../src/factorize/apply";
import { AtomicFiles } from "../../src/factorize/atomic";
import { candidateNames, considerLayers, type Considered } from "../../src/factorize/candidates";
import { PLAN_SCHEMA, type Plan } from "../../src/factorize/plan";
import { ALLOCATIONS, propose, type AllocationId, type Wish } from "../../src/factorize/propose";
import { NAMED_RULES, parseRankRule } from "../../src/factorize/rankRule";
import { SCHEME_WISHES, type Factor, type SchemeWish } from "../../src/factorize/scheme";
import { ready, type Source } from "../../src/factorize/source";
import { openSource } from "../../src/factorize/sources";
import { exactSolver } from "../../src/linalg/exactSolver";
import { plainGemm } from "../../src/linalg/fast/plainGemm";
import { exactSvd } from "../../src/linalg/svd";
import { openModel } from "../../src/models/formats";
import { DEFAULT_OPEN_OPTIONS, type Model } from "../../src/models/model";
import { Fault } from "../../src/shared/fault";
import { calibrateApart, type Calibration } from "../../src/engine/calibrateApart";
import { sensitivityApart } from "../../src/engine/sensitivityApart";
import type { MeasuredSensitivity } from "../../src/factorize/sensitivity";
import { recordInputs } from "./qualitySessions";
import { labelAgreement, mnistAccuracy, storyPerplexity, type Score } from "./qualityScores";
import { noiseSuppression, speechAgreement } from "./qualitySound";

/**
 * Score against size on real models that come with data, for every scheme, way to share a budget and rule for ranks that
 * there is. Writes docs/quality.md.
 */
const [models = "", out = "", only = ""] = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), "ranklens-quality-"));

/** Built beside this program. */
const VERIFY = join(__dirname, "verify.js");
const SHARES = [0.9, 0.8, 0.7, 0.6];
const RULES = ["energy:0.95", "energy:0.9", "energy:0.8", ...NAMED_RULES, "ratio:0.5"];
/** The peer to beat: what most tools do. */
const PEER: AllocationId = "equal-ratio";

interface Task {
  readonly file: string;
  readonly title: string;
  readonly score: Score;
  readonly digits: number;
  /** Whether a higher score is better. */
  readonly rises: boolean;
  /** Takes layers that are off by default too. */
  readonly all: boolean;
  readonly remark: string;
}


/** One model with all that proposals need; a candidate takes the place of the one before. */
class Bench {
  private readonly considered = new Map<SchemeWish, readonly Considered[]>();

  private calibration: { readonly of: SchemeWish; readonly data: string; readonly found: Calibration } | null = null;

  private constructor(readonly task: Task, private readonly model: Model, private readonly source: Source) {}

  static async open(task: Task): Promise<Bench> {
    const model = await openModel(join(models, task.file));
    return new Bench(task, model, await openSource(model, DEFAULT_OPEN_OPTIONS, "factored"));
  }

  async close(): Promise<void> {
    await Promise.all([this.source.close(), this.model.close(), this.calibration?.found.discard()]);
  }

  /** Makes proposals follow inputs of the task from now on. @returns how many */
  async calibrate(scheme: SchemeWish): Promise<number> {
    const data = mkdtempSync(join(work, "inputs-"));
    const count = await recordInputs(() => this.task.score(this.model.summary.path), data);
    const found = await calibrateApart({
      model: this.model, source: this.source, options: DEFAULT_OPEN_OPTIONS, as: "factored", scheme, data, threads: 0,
      isWanted: (name) => candidateNames(this.model.layers, this.source, { included: () => this.task.all, excluded: () => false }).includes(name),
    }, VERIFY, new AbortController().signal, () => undefined);
    this.calibration = { of: scheme, data, found };
    this.considered.delete(scheme);
    return count;
  }

  async sensitivity(): Promise<MeasuredSensitivity> {
    const { of, data, found } = this.calibration!;
    return sensitivityApart({ model: this.model, options: DEFAULT_OPEN_OPTIONS, considered: await this.layers(of), data, calibration: found, threads: 0 }, VERIFY, new AbortController().signal, () => undefined);
  }

  /** Those that fit a layer of this model; what makes the same of all layers as one before is left out. */
  async schemes(): Promise<SchemeWish[]> {
    const seen = new Set<string>();
    const own: SchemeWish[] = [];
    for (const wish of SCHEME_WISHES) {
      const fitting = JSON.stringify((await this.layers(wish)).map(({ candidate }) => candidate?.schemes.map(({ scheme }) => scheme.id)));
      if (!seen.has(fitting)) own.push(wish);
      seen.add(fitting);
    }
    // A model of matrices alone has one scheme, whatever is asked for.
    return own.length === 1 ? own : own.filter((wish) => wish !== "svd");
  }

  budget(scheme: SchemeWish, allocation: AllocationId, share: number, sensitivity?: MeasuredSensitivity): Promise<{ share: number; score: number } | null> {
    return this.candidate(scheme, { kind: "budget", budget: { unit: "params", amount: Math.floor(share * this.model.summary.parameters), allocation, ...(sensitivity === undefined ? {} : { sensitivity }) } });
  }

  /** @returns the share of parameters that is left, and the score; null when the budget cannot be met */
  async candidate(scheme: SchemeWish, wish: Wish): Promise<{ share: number; score: number } | null> {
    const { parameters } = this.model.summary;
    try {
      const { layers } = propose(await this.layers(scheme), wish, parameters, String);
      const plan: Plan = { schema: PLAN_SCHEMA, tool: { name: "ranklens", version: "" }, source: { file: "", format: "onnx", sha256: "", parameters }, choice: "", layers };
      const left = layers.reduce((sum, layer) => sum + layer.parametersAfter - layer.parametersBefore, parameters);
      return { share: left / parameters, score: await this.task.score(await this.written(plan)) };
    } catch (error) {
      if (error instanceof Fault && error.code === "budget-impossible") return null;
      throw error;
    }
  }

  private async written(plan: Plan): Promise<string> {
    const factors = new Map<string, readonly Factor[]>();
    for (const each of workOf(plan, this.model, this.source, this.calibration?.found.moments)) factors.set(each.name, await factorsFor(each, this.model, exactSvd, () => plainGemm));
    const files = new AtomicFiles();
    const output = join(work, "candidate.onnx");
    await this.source.write(ready(factors), output, files);
    await files.commit();
    return output;
  }

  private async layers(scheme: SchemeWish): Promise<readonly Considered[]> {
    const known = this.considered.get(scheme);
    if (known !== undefined) return known;
    const found = await considerLayers(this.model.layers, this.source, {
      scheme, included: () => this.task.all, excluded: () => false, known: () => null, read: (layer) => this.model.read(layer.tensor), solver: exactSolver,
      ...(this.calibration?.of === scheme ? { calibrated: this.calibration.found.outputs } : {}),
    });
    this.considered.set(scheme, found);
    return found;
  }
}

/** How often a way to share is better than the peer, the same, and worse. */
type Tally = Map<AllocationId, { better: number; same: number; worse: number }>;

async function sections(task: Task, tally: Tally): Promise<string[]> {
  const bench = await Bench.open(task);
  const text = (score: number): string => score.toFixed(Math.abs(score) >= 1000 ? 0 : task.digits);
  const cell = (found: { score: number } | null): string => (found === null ? "–" : text(found.score));
  const lines = [`## ${task.title}`, "", `${task.remark} The original: ${text(await task.score(join(models, task.file)))}.`, ""];
  const add = (line: string): void => {
    lines.push(line);
    console.error(line);
  };
  add(`| scheme | budget shared by | ${SHARES.map((share) => `${Math.round(100 * share)} %`).join(" | ")} |`);
  add(`|---|---|${SHARES.map(() => "---:").join("|")}|`);
  const schemes = await bench.schemes();
  for (const scheme of schemes) {
    const peers: (Awaited<ReturnType<Bench["budget"]>>)[] = [];
    for (const share of SHARES) peers.push(await bench.budget(scheme, PEER, share));
    // One that makes too few layers smaller for any of these budgets.
    if (peers.every((peer) => peer === null)) continue;
    for (const allocation of Object.keys(ALLOCATIONS) as AllocationId[]) {
      const found = [];
      for (const [index, share] of SHARES.entries()) {
        const own = allocation === PEER ? peers[index]! : await bench.budget(scheme, allocation, share);
        found.push(own);
        compare(tally, allocation, own, peers[index]!, task);
      }
      add(`| ${scheme} | ${allocation} | ${found.map(cell).join(" | ")} |`);
    }
  }
  const widest = schemes[0] ?? "auto";
  add("");
  add(`| rule (${widest}) | leaves | score | ${PEER} at that size |`);
  add("|---|---:|---:|---:|");
  for (const rule of RULES) {
    const found = await bench.candidate(widest, { kind: "rule", rule: parseRankRule(rule) });
    if (found !== null) add(`| ${rule} | ${(100 * found.share).toFixed(1)} % | ${cell(found)} | ${cell(await bench.budget(widest, PEER, found.share))} |`);
  }
  lines.push(...await calibrated(bench, widest, cell));
  await bench.close();
  return lines;
}

/** The same budgets where factors and errors follow inputs of the task. */
async function calibrated(bench: Bench, scheme: SchemeWish, cell: (found: { score: number } | null) => string): Promise<string[]> {
  const count = await bench.calibrate(scheme);
  const lines = ["", `| ${scheme}, calibrated on ${count} of the inputs | ${SHARES.map((share) => `${Math.round(100 * share)} %`).join(" | ")} |`, `|---|${SHARES.map(() => "---:").join("|")}|`];
  const add = async (name: string, allocation: AllocationId, sensitivity?: MeasuredSensitivity): Promise<void> => {
    const found = [];
    for (const share of SHARES) found.push(await bench.budget(scheme, allocation, share, sensitivity));
    lines.push(`| ${name} | ${found.map(cell).join(" | ")} |`);
    console.error(lines.at(-1));
  };
  for (const allocation of Object.keys(ALLOCATIONS) as AllocationId[]) await add(allocation, allocation);
  await add("sensitivity", "least-total", await bench.sensitivity());
  return lines;
}

function compare(tally: Tally, allocation: AllocationId, own: { score: number } | null, peer: { score: number } | null, { rises, digits }: Task): void {
  if (own === null || peer === null || allocation === PEER) return;
  const counts = tally.get(allocation) ?? { better: 0, same: 0, worse: 0 };
  tally.set(allocation, counts);
  const gain = (rises ? 1 : -1) * Number((own.score - peer.score).toFixed(digits));
  counts[gain > 0 ? "better" : gain < 0 ? "worse" : "same"]++;
}

async function tasks(): Promise<Task[]> {
  const [stories, labels, speech, sound] = ["derived/onnx/tinystories_656k_fp32.onnx", "onnx/magika_standard_v3_3.onnx", "onnx/silero_vad_op18_ifless.onnx", "onnx/dtln_model_2.onnx"];
  // The quickest first: the document holds what is done.
  return [
    { file: "onnx/ort_mnist_cnn.onnx", title: "ort_mnist_cnn: accuracy on the first 2,000 of MNIST's test images, %", score: mnistAccuracy(models), digits: 2, rises: true, all: true, remark: "Two convolutions of 3,400 of the 6,000 parameters; the rest stays as it is." },
    { file: speech, title: "silero_vad v6: same decision as the original on frames of speech, %", score: await speechAgreement(models, join(models, speech)), digits: 2, rises: true, all: true, remark: "Convolutions and an unrolled LSTM, on a minute of speech. The half of the parameters for 8 kHz is factorized too, and not heard here." },
    { file: sound, title: "dtln, second stage: SI-SDR of cleaned noisy speech, dB", score: await noiseSuppression(models), digits: 2, rises: true, all: true, remark: "Convolutions and unrolled LSTMs, behind the first stage as it is." },
    { file: stories, title: "tinystories_656k: perplexity on the original's own stories (less is better)", score: await storyPerplexity(join(models, stories)), digits: 2, rises: false, all: false, remark: "The linear layers; embedding and head, 56 % of the parameters, stay as they are." },
    { file: labels, title: "magika v3.3: same label as the original, %", score: await labelAgreement(models, join(models, labels)), digits: 2, rises: true, all: true, remark: "An embedding, a convolution and the classifier, on contents of the project's own tests." },
  ];
}

const HEAD = `# Quality: score against size

Written by \`npm run quality\`. Columns are the share of the whole model's parameters that the budget leaves; – where it cannot be met.
No retraining, and no data but in the last table of each model, where ranks and factors follow part of the inputs that it is scored
on: elsewhere they follow from the weights alone. \`equal-ratio\`, every layer at the same share, is what most tools do.
A scheme for convolutions factorizes matrices by svd beside it; \`auto\` considers svd,
channel, spatial and tucker2 for each layer, \`alds\` channel groups of 1, 2, 4 and 8.`;

async function main(): Promise<void> {
  if (!existsSync(models)) throw new Error(`no models in ${models}`);
  const tally: Tally = new Map();
  const parts: string[] = [];
  for (const task of (await tasks()).filter(({ title }) => title.startsWith(only))) {
    parts.push("", ...await sections(task, tally));
    const against = [...tally].map(([allocation, { better, same, worse }]) => `| ${allocation} | ${better} | ${same} | ${worse} |`);
    const summary = ["", `Against \`${PEER}\` at the same scheme and size, over all tables below:`, "", "| budget shared by | better | same | worse |", "|---|---:|---:|---:|", ...against];
    writeFileSync(out, `${[HEAD, ...summary, ...parts].join("\n")}\n`);
  }
}

void main().finally(() => rmSync(work, { recursive: true, force: true }));
