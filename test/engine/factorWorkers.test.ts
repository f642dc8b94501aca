import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { applyApart } from "../../src/engine/applyApart";
import { contentHash } from "../../src/factorize/apply";
import { PLAN_SCHEMA, type Plan } from "../../src/factorize/plan";
import { DEFAULT_OPEN_OPTIONS } from "../../src/models/model";
import { Cancelled } from "../../src/shared/fault";
import { noise, temporaryFolder, writeModel } from "./support/modelFiles";
import { buildPrograms, type Programs } from "./support/programs";
import { isAlive } from "./support/watchedEngine";

let programs: Programs;
let folder: ReturnType<typeof temporaryFolder>;
beforeAll(async () => { programs = await buildPrograms(); });
afterAll(() => programs.remove());
beforeEach(() => { folder = temporaryFolder(); });
afterEach(() => folder.remove());

const NAMES = ["a.weight", "b.weight", "c.weight"];

/** Three layers of a second or so each, and a plan for them. */
async function request() {
  const path = writeModel(folder.path, "m.safetensors", Object.fromEntries(NAMES.map((name, index) => [name, noise(index + 1, 900, 900)])));
  const plan: Plan = {
    schema: PLAN_SCHEMA, tool: { name: "ranklens", version: "" }, choice: "", source: { file: "m.safetensors", format: "safetensors", sha256: await contentHash([path]), parameters: 3 * 810_000 },
    layers: NAMES.map((name) => ({ name, action: "factorize", scheme: "svd", ranks: [20], reason: "", parametersBefore: 810_000, parametersAfter: 36_000, relativeError: 0 })),
  };
  return { path, options: DEFAULT_OPEN_OPTIONS, plan, output: join(folder.path, "out.safetensors"), as: "factored" as const, threads: 2 };
}

/** Processes whose command line has these words, of this test's own programs. */
function processes(...words: string[]): number[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return line.includes(script()) && words.every((word) => line.includes(word));
    } catch {
      return false;
    }
  });
}

const script = (): string => join(dirname(programs.cli), "apply.js");

describe.skipIf(process.platform !== "linux")("the processes that compute factors", () => {
  it("are as many as threads, and gone when the model is written", async () => {
    const seen = new Set<number>();
    const written = await applyApart(script(), await request(), new AbortController().signal, () => processes("factors").forEach((pid) => seen.add(pid)));
    expect(written).toContain(join(folder.path, "out.safetensors"));
    expect(seen.size).toBe(2);
    await expect.poll(() => [...seen].some(isAlive)).toBe(false);
  });

  it("end with a sentence that names the layer when one is killed, and nothing is left behind", async () => {
    let asked = 0;
    const applied = applyApart(script(), await request(), new AbortController().signal, ({ type }) => { if (type === "progress") asked++; });
    const outcome = applied.then(() => "written", (error: unknown) => error);
    await expect.poll(() => asked, { timeout: 20_000, interval: 5 }).toBeGreaterThan(1);
    process.kill(processes("factors")[0]!, "SIGKILL");
    expect(await outcome).toMatchObject({ code: "crashed", message: expect.stringMatching(/^The process that factorizes [abc]\.weight ended \(SIGKILL\); nothing was written\.$/) as string });
    expect(readdirSync(folder.path)).toEqual(["m.safetensors"]);
    await expect.poll(() => processes().length).toBe(0);
  });

  it("end when the apply process is cancelled, and nothing is left behind", async () => {
    const stop = new AbortController();
    const outcome = applyApart(script(), await request(), stop.signal, () => undefined).then(() => "written", (error: unknown) => error);
    await expect.poll(() => processes("factors").length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(0);
    stop.abort();
    expect(await outcome).toBeInstanceOf(Cancelled);
    expect(readdirSync(folder.path)).toEqual(["m.safetensors"]);
    await expect.poll(() => processes().length, { timeout: 10_000 }).toBe(0);
  });
});
