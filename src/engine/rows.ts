import type { Layer, MatrixView, Model } from "../models/model";
import type { LayerRow } from "../shared/report";
import { matrixSize } from "../models/gather";
import { factorRank, factorWeights } from "./factored";

/** Where a row's matrix lies in the model: `model.layers[layer].views[view]`. */
export interface RowPlace {
  readonly layer: number;
  readonly view: number;
}

export interface ModelRows {
  readonly rows: readonly LayerRow[];
  /** By row id. */
  readonly places: readonly RowPlace[];
}

/** One pending row for each matrix of the model, in the model's order; ids count from 0. */
export function rowsOf(model: Pick<Model, "layers">): ModelRows {
  const rows: LayerRow[] = [];
  const places: RowPlace[] = [];
  model.layers.forEach((layer, layerIndex) => {
    layer.views.forEach((view, viewIndex) => {
      rows.push(rowOf(rows.length, layer, view));
      places.push({ layer: layerIndex, view: viewIndex });
    });
  });
  return { rows, places };
}

function rowOf(id: number, layer: Layer, view: MatrixView): LayerRow {
  const { rows, columns } = matrixSize(view);
  const { factored } = layer;
  return {
    id,
    name: layer.tensor.name,
    kind: layer.kind,
    shape: layer.tensor.shape,
    dtype: layer.tensor.dtype,
    parameters: factored === undefined ? rows * columns : factorWeights(factored),
    matrix: [rows, columns],
    factorRank: factored === undefined ? null : factorRank(factored),
    unfolding: view.unfolding,
    part: view.part,
    input: view.input,
    block: layer.block,
    module: layer.module,
    notes: layer.notes,
    state: "pending",
    first: null,
    measures: null,
    fault: null,
  };
}
