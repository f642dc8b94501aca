import type { WeightRole } from "../views";
import { beside, type Neighbours, type StateDictName } from "./stateDictName";

/** weight_ih_l0, weight_hh_l1_reverse of LSTM, GRU and RNN; weight_ih and weight_hh of their cells. */
const OWN = /^weight_(ih|hh)((?:_l\d+)?(?:_reverse)?)$/;

/** Kind and gates by how many times the hidden size goes into the rows; orders of torch.nn.LSTM and torch.nn.GRU. */
const KINDS: Readonly<Record<number, { kind: "lstm" | "gru" | "rnn"; gates: readonly string[] }>> = {
  4: { kind: "lstm", gates: ["i", "f", "g", "o"] },
  3: { kind: "gru", gates: ["r", "z", "n"] },
  1: { kind: "rnn", gates: ["h"] },
};

/** The role of a recurrent layer's weight by PyTorch's names; null for other names and shapes. */
export function recurrentRole(name: StateDictName, shape: readonly number[], neighbours: Neighbours): WeightRole | null {
  const found = OWN.exec(name.own);
  if (found === null || shape.length !== 2) return null;
  const [, direction, layer = ""] = found;
  const recurrent = direction === "hh" ? shape : neighbours.shapeOf(beside(name, `weight_hh${layer}`));
  // A projected LSTM's state is narrower than its gates, so that the ratio says nothing; no other layer is projected.
  const projected = neighbours.shapeOf(beside(name, `weight_hr${layer}`)) !== undefined;
  const ratio = projected ? 4 : (recurrent?.[0] ?? 0) / (recurrent?.[1] ?? 1);
  const kind = KINDS[ratio];
  return kind === undefined ? null : { ...kind, weight: direction === "hh" ? "recurrent" : "input", layout: "gates_in" };
}
