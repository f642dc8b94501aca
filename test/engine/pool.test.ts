import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ComputePool } from "../../src/engine/pool";
import type { MeasureRequest } from "../../src/engine/computeProtocol";
import { Cancelled } from "../../src/shared/fault";
import { temporaryFolder } from "./support/modelFiles";

/** Longer than the pool keeps idle processes. */
const LONG_MS = 120_000;

describe("the pool of compute processes", () => {
  const folder = temporaryFolder();
  const script = join(folder.path, "compute.js");
  let pool: ComputePool;
  beforeEach(() => {
    // Finishes the request of view 1, and works on any other without an end.
    writeFileSync(script, `process.on("message", ({ views }) => { if (views[0] === 1) process.send({ type: "finished" }); });`);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    pool = new ComputePool({ script, threads: 2, background: false }, () => undefined);
  });
  afterEach(() => {
    pool.stop();
    vi.useRealTimers();
    folder.remove();
  });
  const run = (view: number): Promise<void> => pool.run({ views: [view] } as unknown as MeasureRequest, () => undefined);

  it("lets work go on that is begun after a stop of several processes, however long it takes", async () => {
    const stopped = [run(0), run(0)];
    pool.stop();
    for (const each of stopped) await expect(each).rejects.toBeInstanceOf(Cancelled);
    const ends = vi.fn();
    void run(0).then(ends, ends);
    const other = run(1);
    vi.advanceTimersByTime(LONG_MS);
    await other;
    expect(ends).not.toHaveBeenCalled();
  });
});
