import { matrixSize } from "../../models/gather";
import type { Layer, Model, Tensor } from "../../models/model";
import { stateDictName } from "../../models/names/stateDictName";
import type { LayerKind, SkippedTensor } from "../../shared/report";
import { whyApproximate } from "./approximate";
import type { ModelConfig } from "./modelConfig";
import type { BaseModule, BaseParameter, ModelModules, ModuleKind } from "./modelModules";
import { packedModules } from "./packed";

const KINDS: Readonly<Partial<Record<LayerKind, ModuleKind>>> = {
  linear: "linear", attention: "linear", expert: "linear", embedding: "embedding", conv: "conv", conv_transpose: "conv_transpose",
  lstm: "recurrent", gru: "recurrent", rnn: "recurrent",
};
/** Classes of transformers whose output layer is called lm_head and may share the embedding's weight. */
const WITH_LM_HEAD = /(?:ForCausalLM|LMHeadModel|ForConditionalGeneration)$/;
const LM_HEAD = "lm_head";
const INPUT_EMBEDDING = /(?:^|\.)(?:embed_tokens|wte|embed_in|word_embeddings|shared)$/;

/** The modules of an opened model. @param model opened with `smallestTensor` 1, so that none is left out for its size */
export function modulesOf(model: Model, config: ModelConfig): ModelModules {
  const shapes = new Map<string, readonly number[]>([...model.layers.map(({ tensor }): [string, readonly number[]] => [tensor.name, tensor.shape]), ...model.skipped.map(({ name, shape }): [string, readonly number[]] => [name, shape])]);
  const packed = packedModules(shapes, config);
  const biasOf = (name: string): number => shapes.get(`${name}.bias`)?.reduce((all, size) => all * size, 1) ?? 0;
  const stored = [...model.layers.flatMap((layer) => moduleOf(layer, biasOf)), ...model.skipped.flatMap((tensor) => normOf(tensor, biasOf))];
  const modules = new Map([...stored, ...packed.map((module) => ({ ...module, bias: biasOf(module.name) }))].map((module) => [module.name, module]));
  const tied = tiedHead(modules, model.skipped, config);
  if (tied !== null) modules.set(tied.name, tied);
  const expertParameters = model.layers.flatMap(expertsOf);
  const names = [...modules.keys()];
  return {
    path: model.summary.path, modules: [...modules.values()], expertParameters,
    containers: containersOf([...names, ...expertParameters.map(({ name }) => name)], modules),
    parameters: model.summary.parameters + packed.reduce((all, { parameters }) => all + parameters, 0),
    hiddenSize: config.hiddenSize, layerCount: config.layerCount ?? countBlocks(model.layers), modelType: config.modelType, architectures: config.architectures,
    tiedEmbeddings: config.tiedEmbeddings ?? (tied === null ? null : true), quantization: config.quantization,
    approximate: whyApproximate(names, config),
  };
}

function moduleOf({ tensor, kind, views: [view] }: Layer, biasOf: (name: string) => number): BaseModule[] {
  const { own, modulePath } = stateDictName(tensor.name);
  if (own !== "weight" || view === undefined || kind === "adapter") return [];
  const { rows, columns } = matrixSize(view);
  const [inSide, outSide] = view.input === "rows" && kind !== "embedding" ? [rows, columns] : [columns, rows];
  const sizes = kind === "embedding" ? { inFeatures: rows, outFeatures: columns } : { inFeatures: inSide, outFeatures: outSide };
  const module = {
    name: modulePath, kind: KINDS[kind] ?? "other", ...sizes, kernel: [], groups: 1, parameters: countOf(tensor), bias: biasOf(modulePath), tiedTo: [],
  } as const;
  return [kind === "conv" || kind === "conv_transpose" ? { ...module, ...convolutionOf(tensor.shape, kind, view.unfolding === "depthwise") } : module];
}

/** PyTorch stores (out, in/groups, k…), a transposed convolution (in, out/groups, k…); of the groups only depthwise ones show. */
function convolutionOf(shape: readonly number[], kind: "conv" | "conv_transpose", depthwise: boolean): Pick<BaseModule, "inFeatures" | "outFeatures" | "kernel" | "groups"> {
  const [first = 1, second = 1, ...kernel] = shape;
  const groups = depthwise ? first : 1;
  const [inFeatures, outFeatures] = kind === "conv" ? [second * groups, first] : [first, second * groups];
  return { inFeatures, outFeatures, kernel, groups };
}

function normOf({ name, shape }: SkippedTensor, biasOf: (name: string) => number): BaseModule[] {
  const { own, modulePath } = stateDictName(name);
  if (own !== "weight" || shape.length !== 1 || modulePath === "") return [];
  const size = shape[0]!;
  return [{ name: modulePath, kind: "norm", inFeatures: size, outFeatures: size, kernel: [], groups: 1, parameters: size, bias: biasOf(modulePath), tiedTo: [] }];
}

/** Stacked matrices (experts, a, b) that are a parameter of their own; transformers stores (experts, out, in) unless the names say otherwise. */
function expertsOf({ tensor, kind, views: [view] }: Layer): BaseParameter[] {
  if (kind !== "expert" || tensor.shape.length !== 3 || stateDictName(tensor.name).own === "weight" || view === undefined) return [];
  const [experts = 1, a = 1, b = 1] = tensor.shape;
  const [inFeatures, outFeatures] = view.input === "rows" ? [a, b] : [b, a];
  return [{ name: tensor.name, experts, inFeatures, outFeatures, parameters: countOf(tensor) }];
}

/**
 * The output layer of a model with tied embeddings, which is a module although the file keeps its weight once, as the embedding's
 * (transformers, `tie_weights`); null where the file has it, or nothing says that it is tied.
 */
function tiedHead(modules: ReadonlyMap<string, BaseModule>, skipped: readonly SkippedTensor[], { tiedEmbeddings, architectures }: ModelConfig): BaseModule | null {
  const embedding = [...modules.values()].find(({ kind, name }) => kind === "embedding" && INPUT_EMBEDDING.test(name));
  if (embedding === undefined || modules.has(LM_HEAD) || tiedEmbeddings === false) return null;
  const repeated = skipped.some(({ name, shape }) => name === `${LM_HEAD}.weight` && shape[0] === embedding.inFeatures && shape[1] === embedding.outFeatures);
  if (!repeated && !architectures.some((name) => WITH_LM_HEAD.test(name))) return null;
  return {
    name: LM_HEAD, kind: "linear", inFeatures: embedding.outFeatures, outFeatures: embedding.inFeatures,
    kernel: [], groups: 1, parameters: embedding.parameters, bias: 0, tiedTo: [embedding.name],
  };
}

/** Every path above a module that is none itself. */
function containersOf(names: readonly string[], modules: ReadonlyMap<string, BaseModule>): string[] {
  const found = new Set<string>();
  for (const name of names) {
    for (let end = name.lastIndexOf("."); end > 0; end = name.lastIndexOf(".", end - 1)) {
      const path = name.slice(0, end);
      if (found.has(path)) break;
      if (!modules.has(path)) found.add(path);
    }
  }
  return [...found];
}

function countBlocks(layers: readonly Layer[]): number | null {
  const blocks = new Set(layers.flatMap(({ block }) => block ?? []));
  return blocks.size === 0 ? null : blocks.size;
}

function countOf({ shape }: Pick<Tensor, "shape">): number {
  return shape.reduce((all, size) => all * size, 1);
}
