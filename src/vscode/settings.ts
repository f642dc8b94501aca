import type { EngineOptions } from "../engine/client";

/** Settings of the section `ranklens`, by name; package.json holds their defaults. */
export type ReadSetting = (name: "threads" | "memory" | "cacheSize" | "smallestTensor" | "allowExternalData") => unknown;

/** Bounds and defaults of package.json, for values that a settings file holds against its schema. */
const THREADS = { minimum: 0, maximum: 256, otherwise: 0 };
const MEMORY_MEGABYTES = { minimum: 0, maximum: 1_048_576, otherwise: 0 };
const CACHE_MEGABYTES = { minimum: 1, maximum: 65_536, otherwise: 256 };
const SMALLEST_TENSOR = { minimum: 1, maximum: Number.MAX_SAFE_INTEGER, otherwise: 16 };

/** @param files where the engine's script and its cache are */
export function engineOptions(read: ReadSetting, files: Pick<EngineOptions, "engineScript" | "cacheFolder">): EngineOptions {
  return {
    ...files,
    threads: whole(read("threads"), THREADS),
    memoryMegabytes: whole(read("memory"), MEMORY_MEGABYTES),
    cacheMegabytes: whole(read("cacheSize"), CACHE_MEGABYTES),
    smallestTensor: whole(read("smallestTensor"), SMALLEST_TENSOR),
    // Only a plain yes opens other folders' files.
    allowExternalDataOutside: read("allowExternalData") === true,
  };
}

function whole(value: unknown, { minimum, maximum, otherwise }: typeof THREADS): number {
  if (typeof value !== "number" || Number.isNaN(value)) return otherwise;
  return Math.min(maximum, Math.max(minimum, Math.round(value)));
}
