import { basename, dirname, join } from "node:path";
import { Fault } from "../../shared/fault";
import { FileBytes } from "../fileBytes";

/** Beside the weights, as PEFT and MLX write it. */
const CONFIG_NAME = "adapter_config.json";
/** A configuration of 10,000 module names is shorter. */
const LONGEST_CONFIG = 4 * 1024 * 1024;

/** What an adapter's configuration says of its scale. */
export interface AdapterConfig {
  readonly path: string;
  readonly bytes: number;
  readonly baseModel: string | null;
  /** α and r of a module: PEFT's patterns first. */
  alphaOf(module: string): number | null;
  rankOf(module: string): number | null;
  /** Scale by α/√r instead of α/r (Kalajdzievski, rsLoRA, 2023). */
  readonly byRoot: boolean;
  /** The scale itself (MLX). */
  readonly scale: number | null;
}

/**
 * The configuration beside a file of weights; null when there is none.
 * @throws Fault malformed, too-large, no-permission, unreadable: with a wrong scale all norms would be wrong
 */
export async function readConfig(weights: string): Promise<AdapterConfig | null> {
  const path = join(dirname(weights), CONFIG_NAME);
  const file = await FileBytes.open(path).catch((error: unknown) => {
    if (error instanceof Fault && error.code === "not-found") return null;
    throw error;
  });
  if (file === null) return null;
  try {
    if (file.size > LONGEST_CONFIG) throw new Fault("too-large", `${CONFIG_NAME} beside ${basename(weights)} has ${file.size} bytes; at most ${LONGEST_CONFIG} are read.`, "Check what the file is.");
    return { path, bytes: file.size, ...parsed(new TextDecoder().decode(await file.read(0, file.size)), weights) };
  } finally {
    await file.close();
  }
}

function parsed(text: string, weights: string): Omit<AdapterConfig, "path" | "bytes"> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Told below, as for JSON that is no object.
  }
  const config = objectOf(json);
  if (config === null) throw new Fault("malformed", `${CONFIG_NAME} beside ${basename(weights)} is not the configuration of an adapter.`, "Fetch it again, or move it away to analyze the weights without their scale.");
  const alphas = patternsOf(config.alpha_pattern), ranks = patternsOf(config.rank_pattern);
  const alpha = numberOf(config.lora_alpha) ?? numberOf(config.alpha), rank = numberOf(config.r);
  return {
    baseModel: typeof config.base_model_name_or_path === "string" ? config.base_model_name_or_path : null,
    alphaOf: (module) => alphas(module) ?? alpha,
    rankOf: (module) => ranks(module) ?? rank,
    byRoot: config.use_rslora === true,
    scale: numberOf(objectOf(config.lora_parameters)?.scale),
  };
}

type Pattern = (module: string) => number | null;

/** PEFT, get_pattern_key: a key fits a module when it is all of its path or the end of it, as a regular expression. */
function patternsOf(value: unknown): Pattern {
  const patterns = Object.entries(objectOf(value) ?? {}).flatMap(([key, entry]) => {
    const number = numberOf(entry), fits = endingPattern(key);
    return number === null || fits === null ? [] : [{ fits, number }];
  });
  return (module) => patterns.find(({ fits }) => fits.test(module))?.number ?? null;
}

const LONGEST_PATTERN = 400;
/** Letters, dots, ^ and $, sets, alternatives, and what repeats one character: nothing that takes long on a long name. */
const HARMLESS = /^\^?(?:[\w\-./]|\\[dw.]|\((?:\?:)?[\w\-.|]+\)|\[[\w\-]+\]|(?<=[\w\]d.])[+*?])*\$?$/;
const MOST_REPEATS = 2;

/** null for a pattern that could be made to take for ever, or is none. */
function endingPattern(key: string): RegExp | null {
  if (key.length > LONGEST_PATTERN || !HARMLESS.test(key) || (key.match(/[+*]/g) ?? []).length > MOST_REPEATS) return null;
  try {
    return new RegExp(`^(?:.*\\.)?(?:${key})$`);
  } catch {
    return null;
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
