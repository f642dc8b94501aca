import type { FileBytes } from "../../models/fileBytes";
import { GRAPH, VALUE_INFO } from "../../models/onnx/schema";
import type { Write } from "../atomic";
import type { ActivationProbe } from "../multiplyAdds";
import type { Positions } from "../scheme";
import { isConvolution, product, type Target } from "../target";
import { bytesField, textField } from "./encode";
import { microModels } from "./micro";
import type { PlacedGraph } from "./scan";
import { spliced, type Edit } from "./splice";
import { takenBy } from "./taken";
import type { Consumer, WeightUses } from "./uses";

const CHUNK = 4 * 1024 * 1024;

/** A layer of the file, with what uses its weight. */
export interface UsedLayer {
  readonly target: Target;
  readonly uses: WeightUses;
}

/** @param uncounted layers that multiply in other ways */
export function activationProbe(file: FileBytes, graphs: readonly PlacedGraph[], opset: number, all: readonly UsedLayer[], uncounted: readonly string[], data: ActivationProbe["data"]): ActivationProbe {
  const [main] = graphs;
  // A branch may not run, and a loop runs who knows how often: only the main graph's nodes run once for each input.
  const isMain = ({ uses }: UsedLayer): boolean => uses.nodes.every(({ node }) => main?.nodes.includes(node) === true);
  const layers = all.filter(isMain);
  const values = [...new Set(layers.flatMap(({ uses }) => uses.nodes.flatMap((consumer) => valuesOf(uses, consumer))))];
  return {
    layers: layers.map(({ target }) => target),
    uncounted: [...uncounted, ...all.filter((layer) => !isMain(layer)).map(({ target }) => target.name)],
    values, data,
    taken: new Map(layers.flatMap(({ target, uses }) => {
      const own = uses.nodes.map((consumer) => takenBy(target, consumer, dataOf(consumer)));
      return own.every((each) => each !== null) ? [[target.name, own]] : [];
    })),
    write: (exposed, write) => writeExposing(file, main, exposed, write),
    micro: async (name, steps, shapes) => {
      const layer = layers.find(({ target }) => target.name === name);
      return layer === undefined ? null : microModels({ file, opset }, layer, steps, shapes);
    },
    positions: (shapes) => new Map(layers.flatMap(({ target, uses }) => {
      const places = uses.nodes.map((consumer) => placeOf(target, uses, consumer, shapes));
      const [first, ...more] = places.filter((place) => place !== null);
      return first === undefined || more.length + 1 < places.length ? [] : [[target.name, more.length === 0 ? first : { ...first, more }] as const];
    })),
  };
}

/** The value that a node applies its weight to. */
export function dataOf({ node: { record }, input }: Consumer): string {
  return record.inputs[input === 0 ? 1 : 0] ?? "";
}

/** The values whose shapes say where a node applies its weight: a convolution's input and output, else its data. */
function valuesOf({ form }: WeightUses, consumer: Consumer): string[] {
  return [dataOf(consumer), ...(isConvolution(form) ? [consumer.node.record.outputs[0] ?? ""] : [])];
}

function placeOf(target: Target, uses: WeightUses, consumer: Consumer, shapes: ReadonlyMap<string, readonly number[]>): Positions | null {
  const [data, result] = valuesOf(uses, consumer).map((name) => shapes.get(name));
  if (data === undefined) return null;
  if (isConvolution(uses.form)) {
    if (result === undefined) return null;
    // The batch is one more axis, which no step changes.
    return { before: [...data.slice(2), data[0] ?? 1], after: [...result.slice(2), result[0] ?? 1] };
  }
  // A recurrent layer has one matrix for each direction; its input weight is applied to each step of the sequence.
  const multiplied = uses.form.op === "embedding" ? 1 : (target.shape.at(uses.form.layout === "in_out" ? -2 : -1) ?? 1);
  const count = product(data) / multiplied;
  return { before: [count], after: [count] };
}

/** The model with some values as outputs of its main graph; their types and shapes are for the runtime to find. */
async function writeExposing(file: FileBytes, graph: PlacedGraph | undefined, values: readonly string[], write: Write): Promise<void> {
  const around = graph?.nodes[0]?.place.around ?? [];
  const end = around.at(-1)?.end ?? file.size;
  const edits = values.filter((name) => graph?.outputs.includes(name) !== true).map((name): Edit => ({ start: end, end, bytes: bytesField(GRAPH.output, textField(VALUE_INFO.name, name)), around }));
  for (const piece of spliced(edits, file.size)) {
    if ("bytes" in piece) await write(piece.bytes);
    else for (let at = piece.start; at < piece.end; at += CHUNK) await write(await file.read(at, Math.min(CHUNK, piece.end - at)));
  }
}
