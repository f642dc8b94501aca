import type { RecurrentKind } from "../../../models/keras/cudnn";
import { withoutCells, type Variable } from "../../../models/keras/variables";
import type { Values } from "../../../models/model";
import type { PlaceIn } from "./kerasPlaces";

/** A recurrent layer of Keras that torch.nn has too. */
export interface RecurrentLayer {
  readonly kind: RecurrentKind;
  readonly units: number;
}

/**
 * Places in Keras's gates of those of torch.nn, in its order: its LSTM has i, f, g, o where Keras has i, f, c, o, which are the
 * same, and its GRU r, z, n for z, r, h (keras.layers.LSTM, GRU; torch.nn.LSTM, GRU).
 */
const GATES: Readonly<Record<RecurrentKind, readonly number[]>> = { lstm: [0, 1, 2, 3], gru: [1, 0, 2], rnn: [0] };

/**
 * The layer that torch.nn has for a recurrent one of Keras; null where it has none: a GRU that resets its state before
 * it is multiplied, as those do that have one bias a gate. A GRU without biases does not tell.
 * @param bias shape of its bias
 */
export function recurrentLayer(kind: RecurrentKind, recurrentKernel: readonly number[], bias: readonly number[] | undefined): RecurrentLayer | null {
  const units = recurrentKernel[0] ?? 0;
  const gates = GATES[kind].length * units;
  if (bias !== undefined && ![gates, 2 * gates].includes(bias.reduce((all, size) => all * size, 1))) return null;
  return kind === "gru" && (bias === undefined || bias.reduce((all, size) => all * size, 1) !== 2 * gates) ? null : { kind, units };
}

/** Where a variable of such a layer goes: kernels are turned, and a bias becomes the two that torch.nn adds up. */
export function recurrentPlaces({ name, layerPath }: Variable, shape: readonly number[], { kind, units }: RecurrentLayer): readonly PlaceIn[] {
  const { module, suffix } = moduleOf(withoutCells(layerPath));
  const order = GATES[kind], height = order.length * units;
  const blocks = order.some((from, to) => from !== to) ? { blocks: order } : {};
  const rows = shape[0] ?? 1;
  const turned = (own: string): PlaceIn => ({ own: `${own}_l0${suffix}`, module, shape: [height, rows], axes: [1, 0], ...blocks });
  switch (name) {
    case "kernel": return [turned("weight_ih")];
    case "recurrent_kernel": return [turned("weight_hh")];
    case "bias": return (["bias_ih", "bias_hh"] as const).map((own, index): PlaceIn => ({
      // One bias is that of the input: that of the state is zero.
      own: `${own}_l0${suffix}`, module, shape: [height], ...blocks, take: (values) => taken(values, index * height, height),
    }));
    default: return [];
  }
}

function taken(values: Values, start: number, count: number): Values {
  return start < values.length ? values.slice(start, start + count) : new Float64Array(count);
}

/** Bidirectional holds two layers of one direction each: one of both, to torch.nn. */
function moduleOf(path: readonly string[]): { readonly module: readonly string[]; readonly suffix: "" | "_reverse" } {
  const [, direction] = path.length > 1 ? (/^(forward|backward)_/.exec(path.at(-1) ?? "") ?? []) : [];
  return direction === undefined ? { module: path, suffix: "" } : { module: path.slice(0, -1), suffix: direction === "backward" ? "_reverse" : "" };
}
