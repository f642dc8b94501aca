import { dirname, join } from "node:path";
import { FileBytes } from "../../models/fileBytes";
import { Fault } from "../../shared/fault";
import { numberOf, objectOf, type JsonObject } from "../../shared/jsonValues";
import type { QuantizationConfig } from "./modelModules";

/** What config.json beside the weights says of the model (transformers, PretrainedConfig). */
export interface ModelConfig {
  readonly modelType: string | null;
  readonly architectures: readonly string[];
  readonly hiddenSize: number | null;
  readonly layerCount: number | null;
  readonly tiedEmbeddings: boolean | null;
  readonly quantization: QuantizationConfig | null;
}

export const NO_CONFIG: ModelConfig = { modelType: null, architectures: [], hiddenSize: null, layerCount: null, tiedEmbeddings: null, quantization: null };

const CONFIG_NAME = "config.json";
/** Label maps make the longest configurations of published models, under a megabyte. */
const LONGEST_CONFIG = 16 * 1024 * 1024;
/** Models of several parts keep the language model's figures under one of these. */
const TEXT_CONFIGS = ["text_config", "llm_config", "language_config"] as const;
/** The same figure, by the names of older architectures (GPT-2, GPT-Neo, T5, DistilBERT). */
const HIDDEN_SIZES = ["hidden_size", "n_embd", "d_model", "dim"] as const;
const LAYER_COUNTS = ["num_hidden_layers", "n_layer", "num_layers", "n_layers"] as const;

const NOTHING: JsonObject = {};

/** Reads config.json in the folder of the weights; what is missing or damaged says nothing. */
export async function configBeside(weights: string): Promise<ModelConfig> {
  const json = await readJson(join(dirname(weights), CONFIG_NAME));
  if (json === null) return NO_CONFIG;
  const text = TEXT_CONFIGS.map((key) => objectOf(json[key])).find((each) => each !== null) ?? NOTHING;
  return {
    modelType: textOf(json.model_type),
    architectures: Array.isArray(json.architectures) ? json.architectures.filter((name) => typeof name === "string") : [],
    hiddenSize: firstNumber(HIDDEN_SIZES, json, text),
    layerCount: firstNumber(LAYER_COUNTS, json, text),
    tiedEmbeddings: booleanOf(json.tie_word_embeddings) ?? booleanOf(text.tie_word_embeddings),
    quantization: quantizationOf(objectOf(json.quantization_config) ?? objectOf(text.quantization_config)),
  };
}

async function readJson(path: string): Promise<JsonObject | null> {
  try {
    const file = await FileBytes.open(path);
    try {
      return file.size > LONGEST_CONFIG ? null : objectOf(JSON.parse(new TextDecoder().decode(await file.read(0, file.size))));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Fault || error instanceof SyntaxError) return null;
    throw error;
  }
}

function quantizationOf(json: JsonObject | null): QuantizationConfig | null {
  if (json === null) return null;
  const bits = numberOf(json.bits) ?? numberOf(json.w_bit);
  const byFlags = json.load_in_4bit === true ? 4 : json.load_in_8bit === true ? 8 : null;
  const method = textOf(json.quant_method) ?? (byFlags === null ? null : "bitsandbytes");
  return method === null ? null : { method, bits: bits ?? byFlags };
}

function firstNumber(keys: readonly string[], ...places: readonly JsonObject[]): number | null {
  for (const place of places) for (const key of keys) if (numberOf(place[key]) !== null) return numberOf(place[key]);
  return null;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function booleanOf(value: unknown): boolean | null {
  return typeof value === "boolean" ? value : null;
}
