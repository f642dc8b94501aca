import { parseArgs } from "node:util";
import type { EngineOptions } from "./client";
import { DEFAULT_CACHE_MEGABYTES } from "./cache";
import { DEFAULT_OPEN_OPTIONS } from "../models/model";
import type { ServerOptions } from "./server";

const BYTES_PER_MEGABYTE = 1024 * 1024;

/** The command line of `dist/engine.js`, written by the client that forks it … */
export function engineArguments(options: EngineOptions): string[] {
  return [
    ...(options.cacheFolder === null ? [] : ["--cache", options.cacheFolder]),
    "--cache-megabytes", String(options.cacheMegabytes),
    "--memory", String(options.memoryMegabytes),
    "--threads", String(options.threads),
    "--smallest", String(options.smallestTensor),
    ...(options.allowExternalDataOutside ? ["--allow-external-data"] : []),
  ];
}

/** … and read by the engine. Without `--cache`, results live as long as the process. */
export function parseEngineArguments(args: readonly string[]): Omit<ServerOptions, "computeScript" | "planningScript" | "applyScript" | "compareScript" | "verifyScript"> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      cache: { type: "string" },
      "cache-megabytes": { type: "string", default: String(DEFAULT_CACHE_MEGABYTES) },
      memory: { type: "string", default: "0" },
      threads: { type: "string", default: "0" },
      smallest: { type: "string", default: String(DEFAULT_OPEN_OPTIONS.smallestTensor) },
      "allow-external-data": { type: "boolean", default: false },
    },
  });
  return {
    cacheFolder: values.cache ?? null,
    cacheBytes: Number(values["cache-megabytes"]) * BYTES_PER_MEGABYTE,
    memoryMegabytes: Number(values.memory),
    threads: Number(values.threads),
    open: { smallestTensor: Number(values.smallest), allowExternalDataOutside: values["allow-external-data"] },
  };
}
