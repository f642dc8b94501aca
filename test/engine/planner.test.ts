import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { NotPrepared, Planner } from "../../src/engine/planning/planner";
import type { PrepareParams } from "../../src/engine/planning/planningProtocol";
import { DEFAULT_OPEN_OPTIONS } from "../../src/models/model";
import { Cancelled } from "../../src/shared/fault";
import { noise, temporaryFolder, writeModel } from "./support/modelFiles";
import { buildPrograms, type Programs } from "./support/programs";
import { untilGone } from "./support/watchedEngine";

let programs: Programs;
let folder: ReturnType<typeof temporaryFolder>;
let planner: Planner;
let started: number[];

beforeAll(async () => { programs = await buildPrograms(); });
afterAll(() => programs.remove());
beforeEach(() => {
  folder = temporaryFolder();
  started = [];
});
afterEach(() => {
  planner.stop();
  folder.remove();
});

const GONE_MS = 10_000;
const signal = new AbortController().signal;
const plannerOf = (script: string): Planner => new Planner("Planning process", script, {
  onLayer: () => undefined, onMaking: () => undefined, onMade: () => undefined, log: (text) => started.push(Number(/(\d+) started/.exec(text)?.[1])),
});

function prepare(cancel = signal): Promise<unknown> {
  const params: PrepareParams = { key: "m", path: writeModel(folder.path, "m.safetensors", { "a.weight": noise(2, 40, 30) }), open: DEFAULT_OPEN_OPTIONS, as: "factored", threads: 1, spectra: [], failed: new Map(), multiplyAdds: null, ladders: new Map(), made: [], times: null };
  return planner.request("prepare", params, cancel);
}

describe("the planning process", () => {
  it("that dies just as a model is sent to it is followed by another, which prepares the model", async () => {
    planner = plannerOf(programs.planning);
    await prepare();
    process.kill(started[0]!, "SIGKILL");
    // Its end is not known yet here: the request still goes to it.
    await expect(prepare()).resolves.toMatchObject({ state: "ready" });
    expect(started).toHaveLength(2);
    await untilGone(started.slice(0, 1), GONE_MS);
  });

  it("that was started for two models is followed by another for the one that was not cancelled", async () => {
    planner = plannerOf(programs.planning);
    const cancel = new AbortController();
    const [kept, cancelled] = [prepare(), prepare(cancel.signal)];
    cancel.abort();
    await expect(cancelled).rejects.toBeInstanceOf(Cancelled);
    await expect(kept).resolves.toMatchObject({ state: "ready" });
    expect(started).toHaveLength(2);
  });

  it("is not started again once it was stopped", async () => {
    planner = plannerOf(programs.planning);
    const asked = prepare();
    planner.stop();
    await expect(asked).rejects.toBeInstanceOf(Cancelled);
    expect(started).toHaveLength(1);
    await untilGone(started, GONE_MS);
  });

  it("that died with a model of a request before is said to have no model", async () => {
    planner = plannerOf(programs.planning);
    await prepare();
    process.kill(started[0]!, "SIGKILL");
    await expect(planner.request("ladders", { key: "m", name: "a.weight" }, signal)).rejects.toBeInstanceOf(NotPrepared);
  });

  it("that dies of every model is started no more than once again, and the fault says that it ended", async () => {
    const script = join(folder.path, "dies.js");
    // Answers one request, as one whose models it can bear.
    writeFileSync(script, "let first = true; process.on('message', ({ id }) => { if (first && process.env.DIES !== '1') { first = false; process.send({ type: 'unprepared', id }); } else process.exit(7); });");
    planner = plannerOf(script);
    await expect(planner.request("ladders", { key: "m", name: "a.weight" }, signal)).rejects.toBeInstanceOf(NotPrepared);
    process.env["DIES"] = "1";
    try {
      await expect(prepare()).rejects.toMatchObject({ code: "crashed", message: "The planning process ended (exit code 7)." });
      expect(started).toHaveLength(2);
      await expect(prepare()).rejects.toMatchObject({ code: "crashed" });
      expect(started).toHaveLength(3);
    } finally {
      delete process.env["DIES"];
    }
  });
});
