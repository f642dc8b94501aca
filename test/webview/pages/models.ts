import type { LayerRow, Measures, ModelSummary, SkippedTensor } from "../../../src/shared/report";
import { MARKUP_NAME } from "../support/names";
import { decayingSpectrum, flatSpectrum, madeUpMeasures } from "./spectra";

/** A made-up model: rows as a header would give them, and what measuring would find. */
export interface MadeUpModel {
  readonly summary: ModelSummary;
  readonly rows: readonly LayerRow[];
  readonly skipped: readonly SkippedTensor[];
  /** By row id. */
  readonly spectra: readonly (readonly number[])[];
  readonly changes: Readonly<Record<number, Partial<Measures>>>;
  /** Rows that fail, by id. */
  readonly faults: Readonly<Record<number, string>>;
}

/** Facts of a row, and what measuring it finds. */
interface Found {
  readonly spectrum: readonly number[];
  readonly measures?: Partial<Measures>;
  readonly failure?: string;
}
type Described = readonly [Partial<LayerRow> & Pick<LayerRow, "name" | "matrix">, Found];

function model(file: string, format: string, described: readonly Described[], skipped: readonly SkippedTensor[], notes: readonly string[]): MadeUpModel {
  const rows = described.map(([facts], id): LayerRow => ({
    id, kind: "linear", shape: facts.matrix, dtype: "float32", parameters: facts.matrix[0] * facts.matrix[1], unfolding: "none", part: null, input: "columns",
    block: null, module: facts.name, notes: [], factorRank: null, state: "pending", first: null, measures: null, fault: null, ...facts,
  }));
  const parameters = rows.reduce((sum, row) => sum + row.parameters, 0);
  return {
    summary: { path: `/home/ada/models/${file}`, format, parameters, bytes: 4 * parameters, tensors: new Set(rows.map(({ name }) => name)).size + skipped.length, notes },
    rows, skipped,
    spectra: described.map(([, { spectrum }]) => spectrum),
    changes: Object.fromEntries(described.flatMap(([, { measures }], id) => (measures === undefined ? [] : [[id, measures]]))),
    faults: Object.fromEntries(described.flatMap(([, { failure }], id) => (failure === undefined ? [] : [[id, failure]]))),
  };
}

export const measured = (made: MadeUpModel, id: number): Measures => madeUpMeasures(made.spectra[id]!, made.rows[id]!.matrix, made.changes[id]);

const MODULES: readonly (readonly [string, number, number])[] = [
  ["self_attn.q_proj", 256, 256], ["self_attn.k_proj", 64, 256], ["self_attn.v_proj", 64, 256], ["self_attn.o_proj", 256, 256],
  ["mlp.gate_proj", 704, 256], ["mlp.up_proj", 704, 256], ["mlp.down_proj", 256, 704],
];

/** Blocks × modules, an embedding and a head, a fused projection that opens, a layer of parts only, one that fails, one estimate. */
function transformer(blocks: number): MadeUpModel {
  const layers: Described[] = [[{ name: "model.embed_tokens.weight", kind: "embedding", matrix: [4096, 256], dtype: "bfloat16" }, { spectrum: decayingSpectrum(256, 0.4) }]];
  for (let block = 0; block < blocks; block++) {
    for (const [index, [module, rows, columns]] of MODULES.entries()) {
      const exponent = 0.35 + 0.5 * Math.abs(Math.sin(0.37 * block + index)) * (index === 1 ? 1.6 : 1);
      layers.push([
        { name: `model.layers.${block}.${module}.weight`, block: `layers.${block}`, module, matrix: [rows, columns], dtype: "bfloat16", kind: index < 4 ? "attention" : "linear" },
        {
          spectrum: decayingSpectrum(Math.min(rows, columns), exponent),
          ...(block === 1 && index === 5 ? { failure: "The tensor model.layers.1.mlp.up_proj.weight holds 3 NaN values." } : {}),
        },
      ]);
    }
  }
  const fused = { name: "memory.c_attn.weight", kind: "attention" } as const;
  layers.push(
    [{ ...fused, matrix: [768, 256], notes: ["fused q, k and v"] }, { spectrum: decayingSpectrum(256, 0.5) }],
    ...["q", "k", "v"].map((part): Described => [{ ...fused, part, shape: [768, 256], matrix: [256, 256] }, { spectrum: decayingSpectrum(256, 0.6) }]),
    ...["i", "f", "g", "o"].map((gate, index): Described => [
      { name: "memory.lstm.weight_ih", part: `gate:${gate}`, kind: "lstm", shape: [512, 128], matrix: [128, 128] },
      { spectrum: flatSpectrum(16 * (index + 1), 128) },
    ]),
    [{ name: "adapter.estimate.weight", kind: "adapter", matrix: [512, 512] }, { spectrum: decayingSpectrum(512, 0.7), measures: { exact: false, relativeError: 0.004 } }],
    [{ name: "lm_head.weight", matrix: [4096, 256], dtype: "bfloat16", notes: ["also used as model.embed_tokens.weight"] }, { spectrum: flatSpectrum(64, 256), measures: { ties: ["numericalRank"] } }],
    [{ name: MARKUP_NAME, matrix: [8, 8] }, { spectrum: flatSpectrum(4, 8) }],
  );
  const skipped = Array.from({ length: 2 * blocks }, (_, index): SkippedTensor => ({
    name: `model.layers.${index >> 1}.${index % 2 === 0 ? "input_layernorm" : "post_attention_layernorm"}.weight`, shape: [256], dtype: "bfloat16", reason: "one axis: no matrix",
  }));
  return model("tiny-llama/model.safetensors.index.json", "safetensors", layers, [...skipped, { name: "rotary.inv_freq", shape: [], dtype: "float32", reason: "a scalar" }], ["3 shards", "transformers 4.57"]);
}

/** No repeated blocks: a strip. Convolutions open to their second unfolding. */
function convolutions(): MadeUpModel {
  const layers: Described[] = [];
  for (let index = 0, channels = 16; index < 24; index++, channels = Math.min(512, Math.round(channels * 1.2))) {
    const facts = { name: `features.${index}.conv.weight`, kind: "conv", shape: [channels, channels, 3, 3] } as const;
    layers.push(
      [{ ...facts, matrix: [channels, channels * 9], unfolding: "channel" }, { spectrum: decayingSpectrum(channels, 0.2 + index / 40) }],
      [{ ...facts, matrix: [channels * 3, channels * 3], unfolding: "spatial" }, { spectrum: decayingSpectrum(channels * 3, 0.4 + index / 40) }],
    );
  }
  layers.push([{ name: "classifier.weight", matrix: [10, 512] }, { spectrum: flatSpectrum(10, 10) }]);
  return model("resnet.onnx", "onnx", layers, [{ name: "classifier.bias", shape: [10], dtype: "float32", reason: "one axis: no matrix" }], ["producer pytorch 2.8"]);
}

/** Flat spectra of rank 1 to 16: what every measure is, is known. */
function many(count: number): MadeUpModel {
  const layers = Array.from({ length: count }, (_, index): Described => (
    [{ name: `h.${index}.w`, matrix: [16, 32] }, { spectrum: flatSpectrum(1 + (index % 16), 16) }]));
  return model("many.safetensors", "safetensors", layers, [], []);
}

/** One large layer of which a first sweep has found norms and stable rank. */
function swept(): MadeUpModel {
  const first = { frobeniusNorm: 6, spectralNorm: 2, stableRank: 9, relativeError: 0.001 };
  return model("large.safetensors", "safetensors", [[{ name: "swept.weight", matrix: [512, 512], first }, { spectrum: decayingSpectrum(512, 0.7) }]], [], []);
}

export const MODELS = { transformer: () => transformer(24), convolutions, swept, many: () => many(2100) };
export type ModelName = keyof typeof MODELS;
