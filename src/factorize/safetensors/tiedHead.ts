import { dirname, join } from "node:path";
import { Fault } from "../../shared/fault";
import { objectOf, type JsonObject } from "../../shared/jsonValues";
import { FileBytes } from "../../models/fileBytes";
import type { Model } from "../../models/model";
import { product } from "../target";

/** The head of a language model that has no tensor of its own: it multiplies by the embedding's. */
export interface TiedHead {
  /** What holds the tensor, under whichever name. */
  readonly layer: string;
  /** Of one position. */
  readonly multiplyAdds: number;
}

const CONFIG = "config.json";
/** Label maps make the longest configurations of published models, under a megabyte. */
const LONGEST_CONFIG = 16 * 1024 * 1024;
/** Token embeddings and heads by the names that transformers, Meta and llama.cpp give them. */
const EMBEDDING = /(?:^|\.)(?:embed_tokens|wte|embed_in|tok_embeddings|word_embeddings|token_embd)\.weight$/;
const HEAD = /(?:^|[\s.])(?:lm_head|embed_out|output)\.weight(?:$|\s)/;
/** Architectures of transformers that have a head. */
const WITH_HEAD = /CausalLM|LMHead|ConditionalGeneration/;

/**
 * Whether the head takes the embedding's weight: where the file says so (aliases of tied tensors), where config.json does
 * (tie_word_embeddings), and where a model with a head has no tensor for it, as llama.cpp reads it.
 */
export async function tiedHead({ layers, skipped, summary: { path, format } }: Pick<Model, "layers" | "skipped" | "summary">): Promise<TiedHead | null> {
  const shared = layers.find(({ tensor, notes }) => HEAD.test(tensor.name) && notes.some((note) => note.startsWith("also used as")));
  if (shared !== undefined) return { layer: shared.tensor.name, multiplyAdds: product(shared.tensor.shape) };
  const embedding = layers.find(({ kind, tensor }) => kind === "embedding" && EMBEDDING.test(tensor.name));
  const isOwn = [...layers.map(({ tensor }) => tensor.name), ...skipped.map(({ name }) => name)].some((name) => HEAD.test(name));
  if (embedding === undefined || isOwn) return null;
  const isAlias = embedding.notes.some((note) => note.startsWith("also used as") && HEAD.test(note));
  if (!isAlias && format !== "gguf" && !saysTied(await configOf(path), embedding.tensor.name)) return null;
  return { layer: embedding.tensor.name, multiplyAdds: product(embedding.tensor.shape) };
}

function saysTied(config: JsonObject | null, embedding: string): boolean {
  // Without one the name tells: a model around the one that has the embedding is there for its head.
  if (config === null) return /^(?:model|transformer)\./.test(embedding);
  const said = config["tie_word_embeddings"] ?? objectOf(config["text_config"])?.["tie_word_embeddings"];
  if (typeof said === "boolean") return said;
  const { architectures } = config;
  return Array.isArray(architectures) && architectures.some((name) => typeof name === "string" && WITH_HEAD.test(name));
}

/** What is missing or damaged says nothing. */
async function configOf(path: string): Promise<JsonObject | null> {
  try {
    return await FileBytes.openFor(join(dirname(path), CONFIG), async (file) => {
      const text = file.size > LONGEST_CONFIG ? "null" : new TextDecoder().decode(await file.read(0, file.size));
      await file.close();
      return objectOf(JSON.parse(text));
    });
  } catch (error) {
    if (error instanceof Fault || error instanceof SyntaxError) return null;
    throw error;
  }
}
