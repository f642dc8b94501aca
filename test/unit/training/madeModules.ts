import type { BaseModule, ModelModules } from "../../../src/training/base/modelModules";

/** Modules of made-up models, for tests. */
export function linear(name: string, inFeatures: number, outFeatures: number, further: Partial<BaseModule> = {}): BaseModule {
  return { name, kind: "linear", inFeatures, outFeatures, kernel: [], groups: 1, parameters: inFeatures * outFeatures, bias: 0, tiedTo: [], ...further };
}

export function embedding(name: string, rows: number, width: number): BaseModule {
  return { ...linear(name, rows, width), kind: "embedding" };
}

export function norm(name: string, size: number): BaseModule {
  return { ...linear(name, size, size), kind: "norm", parameters: size };
}

export function modelOf(modules: readonly BaseModule[], further: Partial<ModelModules> = {}): ModelModules {
  const names = new Set(modules.map(({ name }) => name));
  const containers = new Set(modules.flatMap(({ name }) => above(name)).filter((path) => !names.has(path)));
  return {
    path: "/models/made/model.safetensors", modules, expertParameters: [], containers: [...containers],
    parameters: modules.reduce((all, { parameters, bias, tiedTo }) => all + (tiedTo.length > 0 ? 0 : parameters) + bias, 0),
    hiddenSize: null, layerCount: null, modelType: null, architectures: [], tiedEmbeddings: null, quantization: null, approximate: null, ...further,
  };
}

function above(name: string): string[] {
  const steps = name.split(".");
  return steps.slice(1).map((_, index) => steps.slice(0, index + 1).join("."));
}

export interface LlamaSizes {
  readonly layers: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly keysAndValues: number;
  readonly vocabulary: number;
}

/** Llama 2 7B (its config.json): 6,738,415,616 weights. */
export const LLAMA_7B: LlamaSizes = { layers: 32, hidden: 4096, intermediate: 11008, keysAndValues: 4096, vocabulary: 32000 };
/** Llama 2 13B. */
export const LLAMA_13B: LlamaSizes = { layers: 40, hidden: 5120, intermediate: 13824, keysAndValues: 5120, vocabulary: 32000 };
/** Llama 3 8B. */
export const LLAMA3_8B: LlamaSizes = { layers: 32, hidden: 4096, intermediate: 14336, keysAndValues: 1024, vocabulary: 128256 };

/** A model of the Llama family, by the names that transformers gives. */
export function llama({ layers, hidden, intermediate, keysAndValues, vocabulary }: LlamaSizes): ModelModules {
  const block = (index: number): BaseModule[] => {
    const at = `model.layers.${index}`;
    return [
      norm(`${at}.input_layernorm`, hidden),
      linear(`${at}.self_attn.q_proj`, hidden, hidden), linear(`${at}.self_attn.k_proj`, hidden, keysAndValues),
      linear(`${at}.self_attn.v_proj`, hidden, keysAndValues), linear(`${at}.self_attn.o_proj`, hidden, hidden),
      norm(`${at}.post_attention_layernorm`, hidden),
      linear(`${at}.mlp.gate_proj`, hidden, intermediate), linear(`${at}.mlp.up_proj`, hidden, intermediate), linear(`${at}.mlp.down_proj`, intermediate, hidden),
    ];
  };
  const blocks = Array.from({ length: layers }, (_, index) => block(index)).flat();
  const modules = [embedding("model.embed_tokens", vocabulary, hidden), ...blocks, norm("model.norm", hidden), linear("lm_head", hidden, vocabulary)];
  return modelOf(modules, { hiddenSize: hidden, layerCount: layers, modelType: "llama", architectures: ["LlamaForCausalLM"], tiedEmbeddings: false });
}
