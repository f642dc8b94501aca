import { basename } from "node:path";
import { Fault } from "../../../shared/fault";
import { FileBytes } from "../../../models/fileBytes";
import { dtypeOf, readValues, whyUnread } from "../../../models/hdf5/values";
import type { Dataset } from "../../../models/hdf5/file";
import { openContainer, type Container } from "../../../models/keras/container";
import { fromCudnn } from "../../../models/keras/cudnn";
import { isBeside, sortDatasets, type ReadableLayer } from "../../../models/keras/layers";
import { variableOf } from "../../../models/keras/variables";
import type { OpenOptions, Values } from "../../../models/model";
import { isWritable } from "../../store";
import { arranged, product } from "../../target";
import { aligned, asideNote, decodedPiece, type Piece, type Pieces } from "./piece";

/** Names of a normalization's variables in torch.nn, by Keras's. */
const NORMALIZATION: Readonly<Record<string, string>> = { gamma: "weight", beta: "bias", moving_mean: "running_mean", moving_variance: "running_var" };
const SEPARABLE: Readonly<Record<string, string>> = { depthwise_kernel: "depthwise.weight", pointwise_kernel: "pointwise.weight" };

/**
 * The variables of a Keras model as the state dict of the same model in PyTorch: kernels of dense layers as (out, in), of
 * convolutions as (out, in, k…), of transposed ones as (in, out, k…), of depthwise ones as (channels, 1, k…). Both frameworks
 * correlate, so that no kernel is flipped. Recurrent layers, whose gates and biases differ, and kernels of other shapes keep
 * Keras's names and order.
 * @throws Fault, also for a variable that cannot be read: the output would not be the whole model
 */
export async function kerasPieces(path: string, options: OpenOptions): Promise<Pieces> {
  return FileBytes.openFor(path, async (file) => {
    const container = await openContainer(file);
    const layers = new Map(sortDatasets(container, options).layers.map((entry) => [entry.layer.tensor.name, entry]));
    const own = container.weights.datasets.filter((dataset) => !isBeside(nameOf(dataset)));
    const numbers = own.filter((dataset) => isWritable(dtypeOf(dataset)));
    const names = new Set<string>();
    const pieces = numbers.map((dataset) => pieceOf(dataset, layers.get(nameOf(dataset)), container, basename(path), names));
    const left = container.weights.datasets.length - own.length, others = own.length - numbers.length;
    return {
      files: [{ metadata: new Map([["format", "pt"]]), pieces: aligned(pieces) }],
      isSharded: false,
      notes: [
        "kernels are written in PyTorch's order of axes, but for those of recurrent and attention layers, which keep Keras's",
        ...(left === 0 ? [] : [asideNote(left)]),
        ...(others === 0 ? [] : [`${others} variables that are no floats, as a seed's state, are left out`]),
      ],
      close: () => file.close(),
    };
  });
}

function nameOf({ path }: Dataset): string {
  return path.join("/");
}

function pieceOf(dataset: Dataset, entry: ReadableLayer | undefined, container: Container, file: string, names: Set<string>): Piece {
  const layer = nameOf(dataset);
  const { bytes } = container.weights;
  const problem = whyUnread(dataset, bytes.source.size);
  if (problem !== null) throw new Fault("unsupported", `Variable ${layer} of ${file} cannot be written: ${problem}.`, "Save the model again.");
  const { name: variable, layerClass, layerPath } = variableOf(dataset.path, container.config);
  const weight = layerClass?.startsWith("separable") === true ? SEPARABLE[variable] : undefined;
  const { own, shape, axes, sizes } = placeIn(variable, weight ?? "weight", dataset.shape, entry);
  const called = [...layerPath, own].join(".");
  const name = names.has(called) ? dataset.path.join(".") : called;
  names.add(name);
  const read = async (): Promise<Values> => {
    const values = await readValues(bytes, dataset);
    const [rows = 1, columns = 1] = dataset.shape;
    return entry === undefined || entry.cudnn === null ? values : fromCudnn(values, rows, columns, entry.cudnn);
  };
  const piece = { name, layer, dtype: dtypeOf(dataset), shape };
  return axes === null
    ? decodedPiece(piece, read)
    : decodedPiece({ ...piece, axes }, async () => arranged({ shape: sizes, axes }, await read()));
}

/** Where a variable goes in PyTorch: its name, its shape, and Keras's axes in that order with their sizes. */
interface PlaceIn {
  readonly own: string;
  readonly shape: readonly number[];
  readonly axes: readonly number[] | null;
  readonly sizes: readonly number[];
}

function placeIn(variable: string, own: string, shape: readonly number[], entry: ReadableLayer | undefined): PlaceIn {
  const asIs = (name: string): PlaceIn => ({ own: name, shape, axes: null, sizes: shape });
  if (entry === undefined) return asIs(NORMALIZATION[variable] ?? variable);
  const { kind, views } = entry.layer;
  const turned = (axes: readonly number[]): PlaceIn => {
    const sizes = axes.map((axis) => shape[axis]!);
    return { own, shape: sizes, axes, sizes };
  };
  const last = shape.length - 1;
  const window = shape.slice(0, -2).map((_, axis) => axis);
  if (kind === "embedding" && shape.length === 2) return asIs(own);
  if (kind === "linear" && shape.length === 2 && views[0]?.input === "rows") return turned([1, 0]);
  if (views[0]?.unfolding === "depthwise" && shape.length > 2) {
    const { axes, sizes } = turned([last - 1, last, ...window]);
    return { own, axes, sizes, shape: [product(shape.slice(-2)), 1, ...shape.slice(0, -2)] };
  }
  const isKernel = variable === "kernel" || variable === "pointwise_kernel";
  return isKernel && (kind === "conv" || kind === "conv_transpose") && shape.length > 2 ? turned([last, last - 1, ...window]) : asIs(variable);
}
