import type { WeightRole } from "../views";
import type { Use } from "./graph";

/** What an operator does with an input. */
export type InputRole =
  | { readonly kind: "weight"; readonly role: WeightRole; readonly notes: readonly string[] }
  | { readonly kind: "bias" }
  | { readonly kind: "none" };

const NONE: InputRole = { kind: "none" };
const BIAS: InputRole = { kind: "bias" };

/** Inputs 1 to 4 and 5 to 8 of the LSTM operators, in this order. */
const GATES = ["i", "f", "c", "o"];
/** From its 18th input on, a bidirectional LSTM takes the weights of the other direction. */
const BACKWARD = 18 - 1;

/** By the operators' definitions (tensorflow/lite/kernels). */
export function roleOf({ operator, input, activation }: Use, shape: readonly number[]): InputRole {
  switch (operator.name) {
    case "FULLY_CONNECTED": return byInput(input, { kind: "linear", layout: "out_in" });
    case "CONV_2D": return byInput(input, { kind: "conv", groups: groupsOf(shape, activation), channels: "around" });
    case "DEPTHWISE_CONV_2D": return byInput(input, { kind: "conv", groups: 1, channels: "depthwise" });
    case "CONV_3D": return byInput(input, { kind: "conv", groups: 1, channels: "last" });
    case "CONV_3D_TRANSPOSE": return input === 1 ? weight({ kind: "conv_transpose", groups: 1, channels: "last" }) : input === 3 ? BIAS : NONE;
    case "TRANSPOSE_CONV": return input === 1 ? weight({ kind: "conv_transpose", groups: 1, channels: "around" }) : input === 3 ? BIAS : NONE;
    case "EMBEDDING_LOOKUP": return input === 1 ? weight({ kind: "embedding" }) : NONE;
    case "GATHER": return input === 0 && shape.length === 2 ? weight({ kind: "embedding" }) : NONE;
    case "BATCH_MATMUL": return shape.length === 2 ? weight({ kind: "linear", layout: (input === 1) === operator.adjoint[input === 1 ? 1 : 0] ? "out_in" : "in_out" }) : weight({ kind: "other" });
    case "LSTM": case "UNIDIRECTIONAL_SEQUENCE_LSTM": return lstm(input, "");
    case "BIDIRECTIONAL_SEQUENCE_LSTM": return input > BACKWARD && input <= BACKWARD + 17 ? lstm(input - BACKWARD, "backward") : lstm(input, "forward");
    case "RNN": case "UNIDIRECTIONAL_SEQUENCE_RNN": return recurrent(input, 1, 2, 3);
    case "BIDIRECTIONAL_SEQUENCE_RNN": return input < 4 ? recurrent(input, 1, 2, 3) : recurrent(input, 5, 6, 7);
    case "SVDF": return input === 1 ? weight({ kind: "linear", layout: "out_in" }) : input === 2 ? weight({ kind: "other" }) : input === 3 ? BIAS : NONE;
    default: return NONE;
  }
}

function byInput(input: number, role: WeightRole): InputRole {
  return input === 1 ? weight(role) : input === 2 ? BIAS : NONE;
}

function weight(role: WeightRole, notes: readonly string[] = []): InputRole {
  return { kind: "weight", role, notes };
}

/** (out, k…, in/groups) beside an input of all channels. */
function groupsOf(shape: readonly number[], activation: readonly number[] | null): number {
  const all = activation?.at(-1) ?? 0, each = shape.at(-1) ?? 1;
  return all > each && all % each === 0 ? all / each : 1;
}

function lstm(input: number, direction: string): InputRole {
  const notes = (gate: string) => [[direction, `gate ${gate}`].filter((word) => word !== "").join(", ")];
  const gate = GATES[(input - 1) % 4];
  if (input >= 1 && input <= 8 && gate !== undefined) return weight({ kind: "lstm", weight: input <= 4 ? "input" : "recurrent", layout: "gates_in", gates: [gate] }, notes(gate));
  if (input >= 12 && input <= 15) return BIAS;
  return input === 16 ? weight({ kind: "linear", layout: "out_in" }, ["projects the state"]) : NONE;
}

function recurrent(input: number, weights: number, state: number, bias: number): InputRole {
  if (input === bias) return BIAS;
  if (input !== weights && input !== state) return NONE;
  return weight({ kind: "rnn", weight: input === weights ? "input" : "recurrent", layout: "gates_in", gates: ["h"] });
}
