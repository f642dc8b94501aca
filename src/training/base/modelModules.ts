/** What a module multiplies with. `norm` and `other` have weights too, but no adapter's factors fit them. */
export type ModuleKind = "linear" | "embedding" | "conv" | "conv_transpose" | "recurrent" | "norm" | "other";

/** A module that has a `weight`, as a header and config.json tell of it. */
export interface BaseModule {
  /** Its path, without the parameter's name: "model.layers.0.self_attn.q_proj". */
  readonly name: string;
  readonly kind: ModuleKind;
  /** Sizes that an adapter's factors have: features of a linear layer, channels of a convolution, (vocabulary, width) of an embedding. */
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** Sizes of a convolution's kernel; empty for others. */
  readonly kernel: readonly number[];
  readonly groups: number;
  /** Weights without the bias. */
  readonly parameters: number;
  /** Length of the bias; 0 without one. */
  readonly bias: number;
  /** Names of modules that share the weight, as lm_head does with the embedding of a tied model. */
  readonly tiedTo: readonly string[];
}

/** A parameter that is no module's `weight`: fused experts. PEFT's `target_parameters` names these. */
export interface BaseParameter {
  /** "model.layers.0.mlp.experts.gate_up_proj" */
  readonly name: string;
  /** Matrices stacked in it. */
  readonly experts: number;
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly parameters: number;
}

/** How the base's weights are stored in few bits, by its config.json. */
export interface QuantizationConfig {
  /** transformers' `quant_method`: "gptq", "awq", "bitsandbytes", "fp8" … */
  readonly method: string;
  readonly bits: number | null;
}

/** The modules of a base model, from its header: no weight is read. */
export interface ModelModules {
  /** The file that was opened. */
  readonly path: string;
  /** In the order of the model. */
  readonly modules: readonly BaseModule[];
  readonly expertParameters: readonly BaseParameter[];
  /** Paths that hold modules and have no weight of their own: "model.layers.0.self_attn". PEFT's rules see them too. */
  readonly containers: readonly string[];
  /** All weights of the model, shared ones once. */
  readonly parameters: number;
  readonly hiddenSize: number | null;
  readonly layerCount: number | null;
  /** transformers' `model_type`: "llama". */
  readonly modelType: string | null;
  readonly architectures: readonly string[];
  /** config.json's `tie_word_embeddings`; null where nothing says. */
  readonly tiedEmbeddings: boolean | null;
  readonly quantization: QuantizationConfig | null;
  /** Why names of modules may differ from the names in the file; null where they are the same. */
  readonly approximate: string | null;
}
