import type { Layer, MatrixView, Model, Values } from "../../../src/models/model";

export function layer(model: Model, name: string): Layer {
  const found = model.layers.find((candidate) => candidate.tensor.name === name);
  if (found === undefined) {
    const skipped = model.skipped.find((candidate) => candidate.name === name);
    throw new Error(skipped === undefined ? `no tensor ${name}` : `${name} is skipped: ${skipped.reason}`);
  }
  return found;
}

export function reason(model: Model, name: string): string {
  const found = model.skipped.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`${name} is not skipped`);
  return found.reason;
}

/** The matrix that a layer's view number `index` lays over the values, as rows. */
export async function matrix(model: Model, name: string, index = 0): Promise<number[][]> {
  const { tensor, views } = layer(model, name);
  return matrixOf(views[index]!, await model.read(tensor));
}

/** The matrix that a view lays over values, as rows, element by element from the definition of a view. */
export function matrixOf(view: MatrixView, values: Values | readonly number[]): number[][] {
  const offsets = (axes: MatrixView["rows"]) =>
    axes.reduce<number[]>((all, axis) => all.flatMap((base) => Array.from({ length: axis.size }, (_, i) => base + i * axis.stride)), [0]);
  const columns = offsets(view.columns);
  return offsets(view.rows).map((row) => columns.map((column) => values[view.offset + row + column]!));
}

/** Reads every weight and checks that views stay inside: throws what is no fault, and any breach. */
export async function readAll(model: Model): Promise<void> {
  for (const { tensor, views } of model.layers) {
    const values = await model.read(tensor);
    if (values.length !== tensor.shape.reduce((product, size) => product * size, 1)) throw new Error(`${tensor.name}: ${values.length} values for [${tensor.shape.join(", ")}]`);
    if (views.length === 0) throw new Error(`${tensor.name} has no view`);
    for (const { rows, columns, offset } of views) {
      const last = [...rows, ...columns].reduce((end, { size, stride }) => end + (size - 1) * stride, offset);
      if (!(last < values.length)) throw new Error(`${tensor.name}: a view ends at ${last} of ${values.length}`);
    }
  }
}
