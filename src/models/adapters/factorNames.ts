/** What a tensor is to an adapter. `up` and `down` are B and A of LoRA; w1 … t2 are LyCORIS' names for LoHa and LoKr. */
export type Part =
  | "down" | "up" | "mid" | "diagonal" | "alpha" | "magnitude"
  | "hada_w1_a" | "hada_w1_b" | "hada_w2_a" | "hada_w2_b" | "hada_t1" | "hada_t2"
  | "lokr_w1" | "lokr_w1_a" | "lokr_w1_b" | "lokr_w2" | "lokr_w2_a" | "lokr_w2_b" | "lokr_t2";

export interface FactorName {
  /** Path of the module that the adapter changes, as the file spells it. */
  readonly module: string;
  /** Name of the adapter, where a file may hold several (PEFT); null otherwise. */
  readonly adapter: string | null;
  readonly part: Part;
}

/** "layers.0.q_proj.lora_A.weight", with PEFT's name of the adapter after it where that was not taken out. */
const LORA = /^(.+)\.lora_([ABEab]|embedding_[AB]|magnitude_vector|down|up|mid)(?:\.(?!bias$)([^.]+))?$/;
const LORA_PARTS: Readonly<Record<string, Part>> = {
  A: "down", a: "down", embedding_A: "down", B: "up", b: "up", embedding_B: "up", E: "diagonal", magnitude_vector: "magnitude", down: "down", up: "up", mid: "mid",
};
/** "attn1.to_q.lora.down.weight", "attn1.processor.to_q_lora.up.weight" (diffusers), "qkv_lora1.down.weight" (XLabs). */
const DIFFUSERS = /^(.+?)(?:\.lora(?:_linear_layer|_conv_layer)?|_lora(\d*))\.(down|up|mid)$/;
/** "unet:12:up" (cloneofsimo). */
const NUMBERED = /^(.+):(up|down)$/;
const LYCORIS = /^(.+)\.(hada_(?:w[12]_[ab]|t[12])|lokr_(?:w[12](?:_[ab])?|t2))(?:\.([^.]+))?$/;
const ALPHA = /^(.+?)(?:\.lora(?:_linear_layer|_conv_layer)?|_lora(\d*))?\.alpha$/;
const DORA_SCALE = /^(.+)\.dora_scale$/;
/** Most names have none of these: spares them the patterns. */
const ANY = /lora|hada_|lokr_|:(?:up|down)$|\.alpha$/;

/** What a tensor is to an adapter by its name, in the spellings of PEFT, kohya and LyCORIS, diffusers, cloneofsimo, GGUF; null for others. */
export function factorName(name: string): FactorName | null {
  if (!ANY.test(name) && !name.endsWith(".dora_scale")) return null;
  const bare = name.endsWith(".weight") ? name.slice(0, -".weight".length) : name;
  const lora = LORA.exec(bare);
  if (lora !== null) return { module: lora[1]!, adapter: lora[3] ?? null, part: LORA_PARTS[lora[2]!]! };
  const diffusers = DIFFUSERS.exec(bare);
  if (diffusers !== null) return { module: numberedModule(diffusers[1]!, diffusers[2]), adapter: null, part: diffusers[3] as Part };
  const numbered = NUMBERED.exec(name);
  if (numbered !== null) return { module: numbered[1]!, adapter: null, part: numbered[2] as Part };
  const lycoris = LYCORIS.exec(name);
  if (lycoris !== null) return { module: lycoris[1]!, adapter: lycoris[3] ?? null, part: lycoris[2] as Part };
  const alpha = ALPHA.exec(name);
  if (alpha !== null) return { module: numberedModule(alpha[1]!, alpha[2]), adapter: null, part: "alpha" };
  const magnitude = DORA_SCALE.exec(name);
  return magnitude === null ? null : { module: magnitude[1]!, adapter: null, part: "magnitude" };
}

/** Two adapters of one module are told apart by their numbers. */
function numberedModule(module: string, number: string | undefined): string {
  return number === undefined || number === "" ? module : `${module}_lora${number}`;
}
