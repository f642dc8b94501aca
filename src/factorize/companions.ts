import { readdir, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FileBytes } from "../models/fileBytes";
import type { Write } from "./atomic";

/** A file that belongs to a model and holds no weights. */
export interface Companion {
  readonly from: string;
  readonly to: string;
}

/** What makes a folder one of transformers', diffusers' or MLX'. */
const CONFIG = "config.json";
/** Configuration, tokenizer, template, code of the model's own, licence and card. */
const COMPANION = /^(?:.*\.(?:json|jinja|py|model|tiktoken|txt|md)|LICEN[CS]E.*|NOTICE.*)$/i;
/** What describes the weights themselves, or how they came to be. */
const OF_WEIGHTS = /\.index\.json$|\.plan\.json$|^adapter_config\.json$|^load_factorized\.py$|^trainer_state\.json$|^all_results\.json$|^(?:train|eval)_results\.json$/i;
/** Tokenizers have some 20 MB; what is larger is no companion. */
const LARGEST = 256 * 1024 * 1024;
const CHUNK = 4 * 1024 * 1024;

/**
 * The files of a Hugging Face folder that go along with its model: those beside a config.json, where the output is in another
 * folder. One of that name that is there already stays as it is.
 * @param files of the model, the opened one first
 */
export async function companionsOf([model = ""]: readonly string[], output: string): Promise<Companion[]> {
  const [from, to] = [dirname(model), dirname(output)];
  const [here, there] = await Promise.all([from, to].map((folder) => realpath(folder).catch(() => null)));
  if (here === there) return [];
  const names: string[] = await readdir(from).catch(() => []);
  if (!names.includes(CONFIG)) return [];
  const wanted = names.filter((name) => COMPANION.test(name) && !OF_WEIGHTS.test(name)).sort();
  const found = await Promise.all(wanted.map(async (name) => {
    const [own, other] = await Promise.all([stat(join(from, name)).catch(() => null), stat(join(to, name)).catch(() => null)]);
    return own !== null && own.isFile() && own.size > 0 && own.size <= LARGEST && other === null ? [{ from: join(from, name), to: join(to, name) }] : [];
  }));
  return found.flat();
}

/** @throws Fault of reading, Cancelled */
export async function copyCompanion({ from }: Companion, write: Write): Promise<void> {
  const file = await FileBytes.open(from);
  try {
    for (let at = 0; at < file.size; at += CHUNK) await write(await file.read(at, Math.min(CHUNK, file.size - at)));
    await file.assertUnchanged();
  } finally {
    await file.close();
  }
}
