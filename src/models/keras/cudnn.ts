import type { Values } from "../model";

export type RecurrentKind = "lstm" | "gru" | "rnn";

const GATE_COUNT: Readonly<Record<RecurrentKind, number>> = { lstm: 4, gru: 3, rnn: 1 };

/**
 * Whether a recurrent layer's weights are of the layers that only a GPU ran (CuDNNLSTM, CuDNNGRU): they have two biases a gate
 * in one list, where Keras's own LSTM has one, and its GRU one or two lists.
 * @param bias shape of the layer's bias
 * @param names of its class
 */
export function cudnnKind(kind: RecurrentKind, units: number, bias: readonly number[] | undefined, names: string): RecurrentKind | null {
  if (kind === "rnn") return null;
  const isDouble = bias?.length === 1 && bias[0] === 2 * GATE_COUNT[kind] * units;
  return isDouble || /cu_?dnn/i.test(names) ? kind : null;
}

/**
 * Puts weights of cuDNN's order into Keras's, as Keras does when it loads them into its own layer (keras, saving/legacy/
 * saving_utils or hdf5_format.py, `_convert_rnn_weights`): of each gate's columns (in × units), the recurrent matrix is transposed;
 * the input matrix is read row by row and written column by column, which is no transposition where it is not square.
 * @param values (rows, gates · units) in row-major order
 */
export function fromCudnn(values: Values, rows: number, columns: number, kind: RecurrentKind): Values {
  const units = columns / GATE_COUNT[kind];
  const out = values.slice();
  for (let gate = 0; gate < GATE_COUNT[kind]; gate++) {
    const start = gate * units;
    for (let row = 0; row < rows; row++) {
      for (let unit = 0; unit < units; unit++) {
        // Number of this value in the order of columns, which is its number in the order of rows as it is stored. A square matrix: its transpose.
        const number = row + unit * rows;
        out[row * columns + start + unit] = values[Math.floor(number / units) * columns + start + (number % units)]!;
      }
    }
  }
  return out;
}
