import { axis, MOST_PARTS, view, type Made } from "./made";

/** The weights of an LSTM, GRU or plain recurrent layer. */
export interface Gated {
  /** Whether they multiply the layer's input or its own last state. */
  readonly weight: "input" | "recurrent";
  /** (directions, gates·hidden, in), as ONNX has it, or (gates·hidden, in) of one direction, as PyTorch has it. */
  readonly layout: "directions_gates_in" | "gates_in";
  /** Names of the gates in the order in which they are stored. */
  readonly gates: readonly string[];
}

/**
 * One matrix (hidden × in) for each direction and gate, named by both, or by what there is more than one of.
 * @returns null when the gates do not divide the rows
 */
export function recurrentViews(shape: readonly number[], { weight, layout, gates }: Gated): Made | null {
  const [directions, height, width] = layout === "directions_gates_in" ? shape : [1, ...shape];
  if (directions === undefined || height === undefined || width === undefined || shape.length !== (layout === "gates_in" ? 2 : 3)) return null;
  const hidden = height / gates.length;
  if (!Number.isInteger(hidden) || directions * gates.length > MOST_PARTS) return null;
  const views = Array.from({ length: directions }, (_, direction) => gates.map((gate, index) => {
    const part = [...(directions > 1 ? [`direction:${direction}`] : []), ...(gates.length > 1 ? [`gate:${gate}`] : [])].join("/");
    return view([axis(hidden, width)], [axis(width, 1)], {
      part: part === "" ? null : part,
      offset: (direction * height + index * hidden) * width,
      input: "columns",
      // A state that is projected to another width (LSTMP) has no square matrix.
      recurrent: weight === "recurrent" && hidden === width,
    });
  })).flat();
  return { views, notes: [] };
}
