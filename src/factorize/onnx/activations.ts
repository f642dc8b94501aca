import type { FileBytes } from "../../models/fileBytes";
import { GRAPH, NODE, VALUE_INFO } from "../../models/onnx/schema";
import type { Write } from "../atomic";
import type { ActivationProbe } from "../multiplyAdds";
import type { Positions } from "../scheme";
import { isConvolution, product, type Target } from "../target";
import { bytesField, textField } from "./encode";
import { microModels } from "./micro";
import type { PlacedGraph, PlacedNode } from "./scan";
import { spliced, type Edit } from "./splice";
import { takenBy } from "./taken";
import { namesIn } from "./surgery";
import { UniqueNames } from "./uniqueNames";
import type { Consumer, WeightUses } from "./uses";

const CHUNK = 4 * 1024 * 1024;

/** A layer of the file, with what uses its weight. */
export interface UsedLayer {
  readonly target: Target;
  readonly uses: WeightUses;
}

/** @param uncounted layers that multiply in other ways */
export function activationProbe(file: FileBytes, graphs: readonly PlacedGraph[], opset: number, layers: readonly UsedLayer[], uncounted: readonly string[], data: ActivationProbe["data"]): ActivationProbe {
  const [main] = graphs;
  const isMain = ({ node }: Consumer): boolean => main?.nodes.includes(node) === true;
  const values = [...new Set(layers.flatMap(({ uses }) => uses.nodes.filter(isMain).flatMap((consumer) => valuesOf(uses, consumer))))];
  // A branch may not run, and a loop runs who knows how often: their nodes are watched, under names that no other has.
  const names = new UniqueNames(namesIn(graphs));
  const inside = new Map(layers.flatMap(({ uses }) => uses.nodes.filter((consumer) => !isMain(consumer)).map(({ node }) => node)).map((node) => [node, names.take("ranklens.watched")]));
  return {
    layers: layers.map(({ target }) => target), uncounted, values, nodes: [...inside.values()], data,
    taken: new Map(layers.flatMap(({ target, uses }) => {
      // A recurrent layer's state is no value of the graph.
      const isState = !isConvolution(uses.form) && uses.form.state === true;
      const own = uses.nodes.map((consumer) => (isMain(consumer) && !isState ? takenBy(target, consumer, dataOf(consumer)) : null));
      return own.every((each) => each !== null) ? [[target.name, own]] : [];
    })),
    write: (exposed, write) => writeExposing(file, main, exposed, inside, write),
    micro: async (name, steps, shapes) => {
      const layer = layers.find(({ target }) => target.name === name);
      return layer === undefined ? null : microModels({ file, opset }, layer, steps, shapes);
    },
    positions: (observed) => new Map(layers.flatMap(({ target, uses }) => {
      const places = uses.nodes.map((consumer) => {
        const name = inside.get(consumer.node);
        return name === undefined ? placesOf(uses, [sizesOf(uses, consumer, observed.shapes)]) : placesOf(uses, (observed.runs.get(name) ?? []).map(({ inputs, outputs }) => [inputs[dataInput(consumer)], outputs[0]]));
      });
      const [first, ...more] = places.flat();
      // A node of the main graph always runs: one that was not seen says nothing, where one of a branch says that it did not.
      const isSeen = uses.nodes.every((consumer, index) => !isMain(consumer) || places[index]!.length > 0);
      return first === undefined || !isSeen ? [] : [[target.name, more.length === 0 ? first : { ...first, more }] as const];
    })),
  };
}

/** Number of the input that a node applies its weight to. */
function dataInput({ input }: Consumer): number {
  return input === 0 ? 1 : 0;
}

/** The value that a node applies its weight to. */
export function dataOf(consumer: Consumer): string {
  return consumer.node.record.inputs[dataInput(consumer)] ?? "";
}

/** The values whose shapes say where a node applies its weight: a convolution's input and output, else its data. */
function valuesOf({ form }: WeightUses, consumer: Consumer): string[] {
  return [dataOf(consumer), ...(isConvolution(form) ? [consumer.node.record.outputs[0] ?? ""] : [])];
}

type Sizes = readonly [data: readonly number[] | undefined, result?: readonly number[] | undefined];

function sizesOf(uses: WeightUses, consumer: Consumer, shapes: ReadonlyMap<string, readonly number[]>): Sizes {
  const [data = "", result] = valuesOf(uses, consumer);
  return [shapes.get(data), result === undefined ? undefined : shapes.get(result)];
}

/** Where a weight is applied in some runs of a node; runs of the same sizes are one place, with their count as one more axis. */
function placesOf(uses: WeightUses, runs: readonly Sizes[]): Positions[] {
  const counts = new Map<string, { readonly place: Positions; count: number }>();
  for (const sizes of runs) {
    const place = placeOf(uses, sizes);
    if (place === null) return [];
    const known = counts.get(JSON.stringify(place));
    if (known === undefined) counts.set(JSON.stringify(place), { place, count: 1 });
    else known.count++;
  }
  return [...counts.values()].map(({ place: { before, after }, count }) => (count === 1 ? { before, after } : { before: [...before, count], after: [...after, count] }));
}

function placeOf({ form, tensor }: WeightUses, [data, result]: Sizes): Positions | null {
  if (data === undefined) return null;
  if (isConvolution(form)) {
    if (result === undefined) return null;
    // The batch is one more axis, which no step changes.
    return { before: [...data.slice(2), data[0] ?? 1], after: [...result.slice(2), result[0] ?? 1] };
  }
  // A recurrent layer multiplies both its input and its state once for each step of each sequence; its data are its input.
  const { shape } = tensor.record;
  const multiplied = form.op === "embedding" ? 1 : form.op === "recurrent" ? (data.at(-1) ?? 1) : (shape.at(form.layout === "in_out" ? -2 : -1) ?? 1);
  const count = product(data) / multiplied;
  return { before: [count], after: [count] };
}

/** The model with some values as outputs of its main graph; their types and shapes are for the runtime to find. @param named nodes by their new names */
async function writeExposing(file: FileBytes, graph: PlacedGraph | undefined, values: readonly string[], named: ReadonlyMap<PlacedNode, string>, write: Write): Promise<void> {
  const around = graph?.nodes[0]?.place.around ?? [];
  const end = around.at(-1)?.end ?? file.size;
  const edits = values.filter((name) => graph?.outputs.includes(name) !== true).map((name): Edit => ({ start: end, end, bytes: bytesField(GRAPH.output, textField(VALUE_INFO.name, name)), around }));
  // Of a name that comes twice the last counts (protobuf.dev/programming-guides/encoding).
  for (const [{ place }, name] of named) edits.push({ start: place.end, end: place.end, bytes: textField(NODE.name, name), around: [...place.around, place] });
  for (const piece of spliced(edits, file.size)) {
    if ("bytes" in piece) await write(piece.bytes);
    else for (let at = piece.start; at < piece.end; at += CHUNK) await write(await file.read(at, Math.min(CHUNK, piece.end - at)));
  }
}
