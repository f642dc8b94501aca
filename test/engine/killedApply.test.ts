import { fork } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ApplyMessage, ApplyRequest } from "../../src/engine/apply";
import { contentHash } from "../../src/factorize/apply";
import { removeLeftBy } from "../../src/factorize/leftovers";
import { PLAN_SCHEMA, type Plan } from "../../src/factorize/plan";
import { DEFAULT_OPEN_OPTIONS } from "../../src/models/model";
import { noise, temporaryFolder, writeModel } from "./support/modelFiles";
import { buildPrograms, type Programs } from "./support/programs";

/** All that changes a name or makes one durable: before the call of that number the process is gone, as by a power cut. */
const KILLER = (call: number): string => `
  const fs = require("node:fs");
  let calls = 0;
  const before = (owner, name, counts = () => true) => {
    const real = owner[name];
    owner[name] = (...given) => {
      if (counts(given) && ++calls === ${call}) process.kill(process.pid, "SIGKILL");
      return real.apply(owner, given);
    };
  };
  for (const name of ["renameSync", "rmSync", "fsyncSync", "mkdirSync"]) before(fs, name);
  before(fs, "openSync", ([, flags]) => flags === "w");
  before(fs.promises, "open", ([, flags]) => flags === "wx");
  for (const name of ["mkdir", "rename", "rm"]) before(fs.promises, name);
`;

/** Dozens of processes, one after the other. */
const LONG_MS = 300_000;

/** More calls than any run below makes: one that is never killed ends the loop. */
const MOST_CALLS = 200;

let programs: Programs;
let folder: ReturnType<typeof temporaryFolder>;
beforeAll(async () => { programs = await buildPrograms(); });
afterAll(() => programs.remove());
beforeEach(() => { folder = temporaryFolder(); });
afterEach(() => folder.remove());

/** @returns the id of the process, and whether it ended by itself */
async function apply(request: ApplyRequest, killedAt: number): Promise<{ pid: number; isWhole: boolean }> {
  const hook = join(folder.path, "killer.cjs");
  writeFileSync(hook, KILLER(killedAt));
  const child = fork(programs.apply, [], { serialization: "advanced", execArgv: ["-r", hook], stdio: ["ignore", "ignore", "ignore", "ipc"] });
  return new Promise((resolve, reject) => {
    let isWhole = false;
    child.on("message", (message: ApplyMessage) => {
      if (message.type === "fault") reject(new Error(message.fault.message));
      if (message.type !== "written") return;
      isWhole = true;
      child.kill("SIGKILL");
    });
    child.once("close", () => resolve({ pid: child.pid!, isWhole }));
    child.send(request, () => undefined);
  });
}

/** A sharded Hugging Face folder, and a plan for it that keeps all layers but for one. */
async function model(): Promise<{ index: string; planOf: (rank: number) => Plan }> {
  const at = join(folder.path, "hf");
  mkdirSync(at);
  const shards = [1, 2].map((part) => writeModel(at, `model-0000${part}-of-00002.safetensors`, { [`layers.${part}.fc.weight`]: noise(part, 20, 20) }));
  const index = join(at, "model.safetensors.index.json");
  writeFileSync(index, JSON.stringify({ metadata: {}, weight_map: Object.fromEntries([1, 2].map((part) => [`layers.${part}.fc.weight`, `model-0000${part}-of-00002.safetensors`])) }));
  for (const name of ["config.json", "tokenizer.json"]) writeFileSync(join(at, name), `${name} as it was`);
  const sha256 = await contentHash([index, ...shards]);
  return {
    index,
    planOf: (rank) => ({
      schema: PLAN_SCHEMA, tool: { name: "ranklens", version: "0" }, source: { file: "model.safetensors.index.json", format: "safetensors", sha256, parameters: 800 }, choice: "",
      layers: [{ name: "layers.1.fc.weight", action: "factorize", scheme: "svd", ranks: [rank], reason: "", parametersBefore: 400, parametersAfter: 40 * rank, relativeError: 0 }],
    }),
  };
}

/** Every file below a folder, hidden ones too, with what is in it. */
function contents(at: string): Record<string, string> {
  const entries = readdirSync(at, { withFileTypes: true, recursive: true }).filter((entry) => !entry.isDirectory());
  return Object.fromEntries(entries.map(({ parentPath, name }) => [relative(at, join(parentPath, name)), readFileSync(join(parentPath, name), "latin1")] as const).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function visible(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).filter(([name]) => !name.split(/[/\\]/).some((part) => part.startsWith("."))));
}

/** Without what the run of another name writes. */
function ofModel(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).filter(([name]) => !name.startsWith("other")));
}

describe("a factorization that is killed before any of its steps", { timeout: LONG_MS }, () => {
  it("has made the whole of a new folder, or none of it", async () => {
    const { index, planOf } = await model();
    const outputs = join(folder.path, "outputs"), small = join(outputs, "small");
    mkdirSync(outputs);
    const request = { path: index, options: DEFAULT_OPEN_OPTIONS, plan: planOf(3), output: join(small, "model.safetensors.index.json"), makesFolder: true, as: "factored", threads: 1 } as const;
    let steps = 1;
    for (; steps < MOST_CALLS; steps++) {
      const { pid, isWhole } = await apply(request, steps);
      const seen = visible(contents(outputs));
      const names = Object.keys(seen).map((name) => relative("small", name));
      if (isWhole || names.length > 0) expect(names).toEqual(["config.json", "load_factorized.py", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json", "model.safetensors.index.json.plan.json", "tokenizer.json"]);
      await removeLeftBy(outputs, pid);
      expect(contents(outputs)).toEqual(seen);
      if (names.length > 0) break;
    }
    expect(steps).toBeGreaterThan(8);
    expect(steps).toBeLessThan(MOST_CALLS);
  });

  it("leaves the older model of that name or the new one, once what it left is cleared, and no mixture before", async () => {
    const { index, planOf } = await model();
    const outputs = join(folder.path, "outputs"), main = "small.safetensors.index.json";
    mkdirSync(outputs);
    const request = (rank: number): ApplyRequest => ({ path: index, options: DEFAULT_OPEN_OPTIONS, plan: planOf(rank), output: join(outputs, main), as: "factored", threads: 1 });
    await apply(request(3), MOST_CALLS);
    const old = contents(outputs);
    await apply(request(5), MOST_CALLS);
    const next = contents(outputs);
    await apply(request(3), MOST_CALLS);
    for (let step = 1; ; step++) {
      const { pid, isWhole } = await apply(request(5), step);
      const seen = visible(ofModel(contents(outputs)));
      if (main in seen) expect([old, next]).toContainEqual(seen);
      // By turns: whoever started the process clears, or it was killed too, and the next run in the folder does.
      if (step % 2 === 0) await removeLeftBy(outputs, pid);
      else await apply({ ...request(5), output: join(outputs, "other.safetensors.index.json") }, MOST_CALLS);
      // Names that were never given are half-written files of "small", which its own next run clears.
      const cleared = visible(ofModel(contents(outputs)));
      expect([old, next]).toContainEqual(cleared);
      if (isWhole) break;
      if (cleared[main] === next[main]) await apply(request(3), MOST_CALLS);
      expect(visible(ofModel(contents(outputs)))).toEqual(old);
    }
    const { pid } = await apply(request(5), MOST_CALLS);
    expect(Object.keys(contents(outputs)).filter((name) => name.includes(String(pid)) || name.startsWith(".small"))).toEqual([]);
  });

  it("leaves neither a base nor its adapter, or both", async () => {
    const { index, planOf } = await model();
    const outputs = join(folder.path, "outputs");
    mkdirSync(outputs);
    const request = { path: index, options: DEFAULT_OPEN_OPTIONS, plan: planOf(3), output: join(outputs, "base.safetensors.index.json"), as: "adapter", threads: 1 } as const;
    for (let step = 1; ; step++) {
      const { pid, isWhole } = await apply(request, step);
      await removeLeftBy(outputs, pid);
      const names = Object.keys(contents(outputs));
      expect([0, 8]).toContain(names.length);
      if (isWhole || names.length > 0) break;
    }
    expect(Object.keys(contents(outputs))).toContain(join("base-adapter", "adapter_model.safetensors"));
  });
});
