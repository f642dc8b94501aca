import { readFile } from "node:fs/promises";
import { feedsFor, inputsOf, runtime, session } from "./sideBySide";
import type { MemoryRequest } from "./verification";

/**
 * Bytes that a process takes at most to load a model and to run it on its first inputs, these included, above what it took
 * before. For a process of its own: a peak never goes down.
 * @throws Fault
 */
export async function peakMemory({ path, data }: MemoryRequest): Promise<number> {
  const ort = await runtime();
  const before = process.memoryUsage().rss;
  const model = await session(ort, path);
  const [feeds = {}] = (await feedsFor(ort, model, inputsOf(model), path, data)).batches;
  await model.run(feeds);
  return Math.max(0, await peakOfProcess() - before);
}

/** Linux counts what the parent had before this program began into `maxRSS`, but not into the peak of the program's own memory. */
async function peakOfProcess(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return 1024 * (kilobytes === undefined ? process.resourceUsage().maxRSS : Number(kilobytes));
}
