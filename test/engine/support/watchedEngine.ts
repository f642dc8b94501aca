import { readFileSync } from "node:fs";
import { startEngine, type EngineClient, type EngineOptions } from "../../../src/engine/client";
import type { Progress } from "../../../src/shared/report";

export interface WatchedEngine {
  readonly client: EngineClient;
  readonly logs: string[];
  readonly progress: Progress[];
  /** Process ids in the order they were started. */
  engines(): number[];
  computers(): number[];
  /** Resolves with the first progress, past ones included, that fits. */
  until(fits: (progress: Progress) => boolean): Promise<Progress>;
}

/** A client of a real engine process, whose log tells which processes were started. */
export function watchEngine(engineScript: string, options: Partial<EngineOptions> = {}): WatchedEngine {
  const client = startEngine({ engineScript, cacheFolder: null, threads: 2, cacheMegabytes: 256, memoryMegabytes: 0, allowExternalDataOutside: false, smallestTensor: 1, ...options });
  const logs: string[] = [];
  const progress: Progress[] = [];
  client.onLog(({ text }) => logs.push(text));
  client.onProgress((each) => progress.push(each));
  const started = (kind: string): number[] =>
    logs.flatMap((line) => new RegExp(`^${kind} process (\\d+) started`).exec(line)?.[1] ?? []).map(Number);
  return {
    client,
    logs,
    progress,
    engines: () => started("Engine"),
    computers: () => started("Compute"),
    until: (fits) => {
      const known = progress.find(fits);
      if (known !== undefined) return Promise.resolve(known);
      return new Promise((resolve) => {
        const subscription = client.onProgress((each) => {
          if (!fits(each)) return;
          subscription.dispose();
          resolve(each);
        });
      });
    },
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A process that has ended keeps its id until its parent, perhaps a container's slow init, asks how.
  const state = process.platform === "linux" ? /\) (\w) /.exec(readProcStat(pid))?.[1] : undefined;
  return state !== "Z";
}

function readProcStat(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return ") Z ";
  }
}

/** Resolves when none of the processes is left; fails after the time given. */
export async function untilGone(pids: readonly number[], milliseconds: number): Promise<void> {
  const end = Date.now() + milliseconds;
  while (pids.some(isAlive)) {
    if (Date.now() > end) throw new Error(`still running after ${milliseconds} ms: ${pids.filter(isAlive).join(", ")}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
