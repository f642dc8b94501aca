import { axis, MOST_PARTS, view, type Made } from "./made";

/** The weights of an LSTM, GRU or plain recurrent layer. */
export interface Gated {
  /** Whether they multiply the layer's input or its own last state. */
  readonly weight: "input" | "recurrent";
  /**
   * (directions, gates·hidden, in), as ONNX has it; (gates·hidden, in) of one direction, as PyTorch has it; (in, gates·hidden),
   * as Keras has it.
   */
  readonly layout: "directions_gates_in" | "gates_in" | "in_gates";
  /** Names of the gates in the order in which they are stored. */
  readonly gates: readonly string[];
}

/**
 * One matrix (hidden × in) for each direction and gate, or (in × hidden) as it is stored, named by both, or by what there is more
 * than one of.
 * @returns null when the gates do not divide the rows
 */
export function recurrentViews(shape: readonly number[], gated: Gated): Made | null {
  const { weight, layout, gates } = gated;
  if (layout === "in_gates") return columnViews(shape, gated);
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

/** Gates side by side. */
function columnViews(shape: readonly number[], { weight, gates }: Gated): Made | null {
  const [input, width] = shape;
  const hidden = (width ?? 0) / gates.length;
  if (input === undefined || width === undefined || shape.length !== 2 || !Number.isInteger(hidden)) return null;
  const views = gates.map((gate, index) => view([axis(input, width)], [axis(hidden, 1)], {
    part: gates.length > 1 ? `gate:${gate}` : null, offset: index * hidden, input: "rows", recurrent: weight === "recurrent" && hidden === input,
  }));
  return { views, notes: [] };
}
