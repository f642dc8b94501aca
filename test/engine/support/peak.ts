import { readFileSync } from "node:fs";
import type { WatchedEngine } from "./watchedEngine";

/** The most memory, in bytes, that a compute process had at once. Linux tells it. */
export function peakOf({ computers }: WatchedEngine): number {
  return Math.max(...computers().map((pid) => 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])));
}
