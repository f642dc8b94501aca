import { basename, dirname, join } from "node:path";
import { Fault } from "../../shared/fault";
import { numberOf, objectOf } from "../../shared/jsonValues";
import { FileBytes } from "../fileBytes";
import type { Model } from "../model";

/** Beside the weights, as PEFT and MLX write it. */
const CONFIG_NAME = "adapter_config.json";
/** A configuration of 10,000 module names is shorter. */
const LONGEST_CONFIG = 4 * 1024 * 1024;

/** What is known of the scale of one module's adapter. */
export interface ModuleConfig {
  readonly alpha: number | null;
  readonly rank: number | null;
  /** Scale by α/√r instead of α/r (Kalajdzievski, rsLoRA, 2023). */
  readonly byRoot: boolean;
  /** The scale itself (MLX). */
  readonly scale: number | null;
}

/** What the author of an adapter says about it. */
export interface AdapterConfig {
  /** Where it is said: a file's name, or a key of the metadata. */
  readonly source: string;
  /** The file, where it is one of its own. */
  readonly file: { readonly path: string; readonly bytes: number } | null;
  readonly baseModel: string | null;
  of(module: string): ModuleConfig;
}

/**
 * The configuration in a file's metadata, or beside it; null when there is none.
 * @throws Fault of `configBeside`
 */
export async function readConfig(metadata: Model["metadata"], weights: string): Promise<AdapterConfig | null> {
  return ofDiffusers(metadata?.get(DIFFUSERS_KEY)) ?? ofGguf(metadata?.get(GGUF_KEY)) ?? configBeside(weights);
}

/** Key of the configurations of all parts of a pipeline in one text (diffusers, loaders/lora_base.py). */
const DIFFUSERS_KEY = "lora_adapter_metadata";
/** llama.cpp, convert_lora_to_gguf.py. */
const GGUF_KEY = "adapter.lora.alpha";

function ofGguf(alpha: unknown): AdapterConfig | null {
  const number = numberOf(alpha);
  return number === null ? null : { source: GGUF_KEY, file: null, baseModel: null, of: () => ({ alpha: number, rank: null, byRoot: false, scale: null }) };
}

/** { "transformer.r": 4, "transformer.lora_alpha": 8, … }: the part of the pipeline, and the key of its configuration. */
function ofDiffusers(text: unknown): AdapterConfig | null {
  const json = typeof text === "string" ? objectOf(parsedJson(text)) : null;
  if (json === null) return null;
  const parts = new Map<string, Record<string, unknown>>();
  for (const [key, value] of Object.entries(json)) {
    const end = key.indexOf(".");
    const part = parts.get(key.slice(0, end)) ?? {};
    parts.set(key.slice(0, end), part);
    part[key.slice(end + 1)] = value;
  }
  const configs = new Map([...parts].map(([part, config]) => [part, moduleConfigs(config)] as const));
  return {
    source: DIFFUSERS_KEY, file: null, baseModel: null,
    of: (module) => {
      const end = module.indexOf(".");
      return configs.get(module.slice(0, end))?.(module.slice(end + 1)) ?? NOTHING;
    },
  };
}

const NOTHING: ModuleConfig = { alpha: null, rank: null, byRoot: false, scale: null };
/** What PEFT writes before the path of a module. */
const WRAPPER = /^base_model\.model\./;

/** @throws Fault malformed, too-large, no-permission, unreadable: with a wrong scale all norms would be wrong */
async function configBeside(weights: string): Promise<AdapterConfig | null> {
  const path = join(dirname(weights), CONFIG_NAME);
  const file = await FileBytes.open(path).catch((error: unknown) => {
    if (error instanceof Fault && error.code === "not-found") return null;
    throw error;
  });
  if (file === null) return null;
  try {
    if (file.size > LONGEST_CONFIG) throw new Fault("too-large", `${CONFIG_NAME} beside ${basename(weights)} has ${file.size} bytes; at most ${LONGEST_CONFIG} are read.`, "Check what the file is.");
    const config = objectOf(parsedJson(new TextDecoder().decode(await file.read(0, file.size))));
    if (config === null) throw new Fault("malformed", `${CONFIG_NAME} beside ${basename(weights)} is not the configuration of an adapter.`, "Fetch it again, or move it away to analyze the weights without their scale.");
    const configOf = moduleConfigs(config);
    return {
      source: CONFIG_NAME, file: { path, bytes: file.size }, of: (module) => configOf(module.replace(WRAPPER, "")),
      baseModel: typeof config.base_model_name_or_path === "string" ? config.base_model_name_or_path : null,
    };
  } finally {
    await file.close();
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** α and r of each module: PEFT's patterns first. */
function moduleConfigs(config: Readonly<Record<string, unknown>>): (module: string) => ModuleConfig {
  const alphas = patternsOf(config.alpha_pattern), ranks = patternsOf(config.rank_pattern);
  const alpha = numberOf(config.lora_alpha) ?? numberOf(config.alpha), rank = numberOf(config.r);
  const byRoot = config.use_rslora === true, scale = numberOf(objectOf(config.lora_parameters)?.scale);
  return (module) => ({ alpha: alphas(module) ?? alpha, rank: ranks(module) ?? rank, byRoot, scale });
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
