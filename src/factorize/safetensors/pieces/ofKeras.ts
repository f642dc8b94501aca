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
import { placeIn } from "./kerasPlaces";
import { recurrentLayer, recurrentPlaces, type RecurrentLayer } from "./kerasRecurrent";
import { aligned, asideNote, decodedPiece, type Piece, type Pieces } from "./piece";

/**
 * The variables of a Keras model as the state dict of the same model in PyTorch: kernels of dense layers as (out, in), of
 * convolutions as (out, in, k…), of transposed ones as (in, out, k…), of depthwise ones as (channels, 1, k…). Both frameworks
 * correlate, so that no kernel is flipped. The parts of attention are linear layers, heads one after another; recurrent layers
 * have the names, gates and biases of torch.nn, both directions in one module. What torch.nn does not have keeps Keras's
 * names and order.
 * @throws Fault, also for a variable that cannot be read: the output would not be the whole model
 */
export async function kerasPieces(path: string, options: OpenOptions): Promise<Pieces> {
  return FileBytes.openFor(path, async (file) => {
    const container = await openContainer(file);
    // Small ones too: what they do does not depend on whether they are measured.
    const layers = new Map(sortDatasets(container, { ...options, smallestTensor: 1 }).layers.map((entry) => [entry.layer.tensor.name, entry]));
    const own = container.weights.datasets.filter((dataset) => !isBeside(nameOf(dataset)));
    const numbers = own.filter((dataset) => isWritable(dtypeOf(dataset)));
    const names = new Set<string>();
    const siblings = siblingsOf(numbers, layers, container);
    const pieces = numbers.flatMap((dataset) => piecesOf(dataset, layers.get(nameOf(dataset)), siblings.get(groupOf(dataset))!, container, basename(path), names));
    const left = container.weights.datasets.length - own.length, others = own.length - numbers.length;
    return {
      files: [{ metadata: new Map([["format", "pt"]]), pieces: aligned(pieces) }],
      isSharded: false,
      notes: [
        "weights are written as PyTorch has them: kernels in its order of axes and gates, parts of attention as linear layers, the bias of a recurrent layer as two",
        ...foreign(siblings, numbers, container),
        ...(left === 0 ? [] : [asideNote(left)]),
        ...(others === 0 ? [] : [`${others} variables that are no floats, as a seed's state, are left out`]),
      ],
      close: () => file.close(),
    };
  });
}

/** Recurrent layers that torch.nn does not have. */
function foreign(siblings: ReadonlyMap<string, Siblings>, datasets: readonly Dataset[], { config }: Container): string[] {
  const names = datasets.flatMap((dataset) => {
    const { name, layerPath } = variableOf(dataset.path, config);
    return name === "recurrent_kernel" && siblings.get(groupOf(dataset))!.recurrent === null ? [layerPath.join("/")] : [];
  });
  return names.length === 0 ? [] : [`${names.join(", ")} keep Keras's names and order: torch.nn has no such recurrent layer`];
}

function nameOf({ path }: Dataset): string {
  return path.join("/");
}

/** What the variables of one layer tell of each other. */
interface Siblings {
  readonly recurrent: RecurrentLayer | null;
  /** Outputs of a kernel of more axes than two that is used as a matrix. */
  readonly outputs: number | null;
}

/** By the group that holds a layer's variables. */
function siblingsOf(datasets: readonly Dataset[], layers: ReadonlyMap<string, ReadableLayer>, { config }: Container): ReadonlyMap<string, Siblings> {
  const groups = new Map<string, Map<string, Dataset>>();
  for (const dataset of datasets) {
    const group = groups.get(groupOf(dataset)) ?? new Map<string, Dataset>();
    groups.set(groupOf(dataset), group.set(variableOf(dataset.path, config).name, dataset));
  }
  return new Map([...groups].map(([group, variables]) => {
    const [kernel, state, bias] = ["kernel", "recurrent_kernel", "bias"].map((name) => variables.get(name));
    const kind = state === undefined ? undefined : layers.get(nameOf(state))?.layer.kind;
    const recurrent = state !== undefined && (kind === "lstm" || kind === "gru" || kind === "rnn") ? recurrentLayer(kind, state.shape, bias?.shape) : null;
    const entry = kernel === undefined ? undefined : layers.get(nameOf(kernel));
    const outputs = entry === undefined || entry.layer.kind !== "linear" || entry.dataset.shape.length < 3 ? null : columnsOf(entry);
    // A bias of some axes alone is no Linear's.
    return [group, { recurrent, outputs: outputs !== null && bias !== undefined && product(bias.shape) !== outputs ? null : outputs }];
  }));
}

function groupOf({ path }: Dataset): string {
  return JSON.stringify(path.slice(0, -1));
}

function columnsOf({ layer: { views } }: ReadableLayer): number | null {
  return views[0]?.input === "rows" ? product(views[0].columns.map(({ size }) => size)) : null;
}

function piecesOf(dataset: Dataset, entry: ReadableLayer | undefined, { recurrent, outputs }: Siblings, container: Container, file: string, names: Set<string>): Piece[] {
  const layer = nameOf(dataset);
  const { bytes } = container.weights;
  const problem = whyUnread(dataset, bytes.source.size);
  if (problem !== null) throw new Fault("unsupported", `Variable ${layer} of ${file} cannot be written: ${problem}.`, "Save the model again.");
  const variable = variableOf(dataset.path, container.config);
  const own = recurrent === null ? [] : recurrentPlaces(variable, dataset.shape, recurrent);
  const read = async (): Promise<Values> => {
    const values = await readValues(bytes, dataset);
    const [rows = 1, columns = 1] = dataset.shape;
    return entry === undefined || entry.cudnn === null ? values : fromCudnn(values, rows, columns, entry.cudnn);
  };
  return (own.length > 0 ? own : [placeIn(variable, dataset.shape, entry, outputs)]).map(({ own: parameter, module, shape, axes, blocks, sizes, take }) => {
    const called = [...(module ?? variable.layerPath), parameter].join(".");
    const name = names.has(called) ? dataset.path.join(".") : called;
    names.add(name);
    const arrangement = { ...(axes === undefined ? {} : { axes }), ...(blocks === undefined ? {} : { blocks }) };
    return decodedPiece({ name, layer, dtype: dtypeOf(dataset), shape, ...arrangement }, async () => {
      const values = await read();
      return arranged({ shape: sizes ?? shape, ...arrangement }, take === undefined ? values : take(values));
    });
  });
}
