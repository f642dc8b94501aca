import { naturalKey, snakeCase } from "./naming";

/** What a model's config says of one layer. */
export interface LayerConfig {
  /** "Conv2D"; of a wrapper (TimeDistributed, Bidirectional) that of the layer inside. */
  readonly className: string;
  readonly groups: number;
  /** Of EinsumDense: "abc,cde->abde". */
  readonly equation: string | null;
  /** Place in the model. */
  readonly order: number;
}

export interface ModelConfig {
  /** "Sequential", "Functional"; null where there is no config, or none that can be read. */
  readonly className: string | null;
  /** By the layers' own names. */
  readonly layers: ReadonlyMap<string, LayerConfig>;
  /** By the names that Keras 3 makes up for their weights, from class and count, with those of the models that they are in: "sequential/dense_1". */
  readonly counted: ReadonlyMap<string, LayerConfig>;
}

export const NO_CONFIG: ModelConfig = { className: null, layers: new Map(), counted: new Map() };

/** Layers of one model, and how deep models stand in models. */
const MOST_LAYERS = 200_000;
const MOST_DEPTH = 32;

/** @returns null when the text is no JSON, or not of a model */
export function parseConfig(text: string): ModelConfig | null {
  let model: unknown;
  try {
    model = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(model) || typeof model["class_name"] !== "string") return null;
  const into = { layers: new Map<string, LayerConfig>(), counted: new Map<string, LayerConfig>() };
  addLayers(model, into, "", 0);
  return { className: model["class_name"], ...into };
}

interface Layers {
  readonly layers: Map<string, LayerConfig>;
  readonly counted: Map<string, LayerConfig>;
}

/** Adds the layers of a model, those of models among them after each. */
function addLayers(model: Readonly<Record<string, unknown>>, { layers, counted }: Layers, path: string, depth: number): void {
  // Before 2.2, a Sequential model's config was the list itself.
  const config = model["config"];
  const listed = isRecord(config) ? config["layers"] : config;
  if (!Array.isArray(listed) || depth > MOST_DEPTH) return;
  const copies = new Map<string, number>();
  for (const layer of listed as readonly unknown[]) {
    if (!isRecord(layer) || typeof layer["class_name"] !== "string" || counted.size >= MOST_LAYERS) continue;
    const found = layerConfig(layer, counted.size);
    const made = snakeCase(layer["class_name"]);
    const copy = copies.get(made) ?? 0;
    copies.set(made, copy + 1);
    const name = nameOf(layer), own = `${path}${made}${copy === 0 ? "" : `_${copy}`}`;
    if (name !== null && !layers.has(name)) layers.set(name, found);
    if (!counted.has(own)) counted.set(own, found);
    addLayers(layer, { layers, counted }, `${own}/`, depth + 1);
  }
}

function layerConfig(layer: Readonly<Record<string, unknown>>, order: number): LayerConfig {
  const config = layer["config"];
  const inner = isRecord(config) && isRecord(config["layer"]) ? config["layer"] : null;
  if (inner !== null && typeof inner["class_name"] === "string") return layerConfig({ ...inner, config: withoutLayer(inner["config"]) }, order);
  const groups = isRecord(config) ? config["groups"] : null, equation = isRecord(config) ? config["equation"] : null;
  return {
    className: layer["class_name"] as string,
    groups: typeof groups === "number" && Number.isInteger(groups) && groups > 0 ? groups : 1,
    equation: typeof equation === "string" ? equation : null,
    order,
  };
}

/** One wrapper is looked into, not a chain of them. */
function withoutLayer(config: unknown): unknown {
  return isRecord(config) ? { ...config, layer: null } : config;
}

function nameOf(layer: Readonly<Record<string, unknown>>): string | null {
  const config = layer["config"];
  const name = (isRecord(config) ? config["name"] : null) ?? layer["name"];
  return typeof name === "string" && name !== "" ? name : null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Puts variables into the order of the model: layers in that of the config, or of the list that Keras stores beside the weights;
 * everything else by name, with numbers as numbers.
 */
export function inModelOrder<T extends { readonly path: readonly string[]; readonly variable: { readonly config: LayerConfig | null } }>(all: readonly T[], layerNames: readonly string[]): readonly T[] {
  const listed = new Map(layerNames.map((name, index) => [name, index]));
  const keyed = all.map((one) => {
    const order = one.path.map((step) => listed.get(step)).find((found) => found !== undefined) ?? one.variable.config?.order ?? MOST_LAYERS;
    return { one, key: `${String(order).padStart(9, "0")} ${naturalKey(one.path.join("/"))}` };
  });
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ one }) => one);
}
