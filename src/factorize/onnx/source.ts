import { basename, dirname, join } from "node:path";
import { Fault } from "../../shared/fault";
import { FileBytes } from "../../models/fileBytes";
import type { Layer, OpenOptions } from "../../models/model";
import { locateLayers } from "../../models/onnx/locate";
import type { AtomicFiles, Write } from "../atomic";
import type { FactorMaker, Source } from "../source";
import type { Factor } from "../scheme";
import { isWritable } from "../store";
import { isDepthwise, isConvolution, type Target } from "../target";
import { activationProbe, type UsedLayer } from "./activations";
import { copyData, dataName, locationsOf, moved, repointed, type Moved } from "./externalData";
import { scanModel, type PlacedGraph, type PlacedTensor } from "./scan";
import { spliced, type Edit } from "./splice";
import { namesIn, replaceLayer, type Surgeon } from "./surgery";
import { UniqueNames } from "./uniqueNames";
import { stateUsesOf, usesOf, type WeightUses } from "./uses";

/** Bytes copied at once from the old file to the new. */
const CHUNK = 4 * 1024 * 1024;

export interface OnnxSource extends Source {
  /** Writes the model's own file. @param output where it will be */
  apply(factors: ReadonlyMap<string, readonly Factor[]>, output: string, write: Write): Promise<void>;
}

/** An ONNX model to be factorized: which of its layers can be, and how the new file is written. @throws Fault */
export async function openOnnxSource(path: string, layers: readonly Layer[], options: OpenOptions): Promise<OnnxSource> {
  const { layers: located, model, external } = await locateLayers(path, options);
  const file = await FileBytes.open(path);
  try {
    const graphs = await scanModel(file);
    const stored = new Map(flat(graphs).map((entry) => [entry.tensor.proto.start, entry]));
    const opset = model.opsets.find(({ domain }) => domain === "" || domain === "ai.onnx")?.version ?? 1;
    const uses = new Map<string, WeightUses>();
    const multiplying: UsedLayer[] = [], uncounted: string[] = [];
    const targets = layers.map((layer): Target | { readonly reason: string } => {
      const { tensor: { name, dtype, shape }, kind } = layer;
      const own = located.get(name);
      const place = own === undefined ? undefined : stored.get(own.record.message.start);
      if (own === undefined || place === undefined) return { reason: "its weight is sparse, or in a function's body: factors cannot be put there" };
      if (own.quantized || !isWritable(dtype)) return { reason: `its weight is quantized (${dtype}): factors of full precision would be larger` };
      const found = usesOf(place.tensor, place.graph, opset);
      if (typeof found === "string") {
        const state = stateUsesOf(place.tensor, place.graph);
        if (state === null) uncounted.push(name);
        else multiplying.push({ target: { name, kind, shape, dtype, form: state.form }, uses: state });
        return { reason: found };
      }
      const target: Target = { name, kind, shape, dtype, form: found.form };
      multiplying.push({ target, uses: found });
      if (isConvolution(found.form) && isDepthwise(shape, found.form)) return { reason: "depthwise: each channel has one small kernel, so there is nothing to gain" };
      uses.set(name, found);
      return target;
    });
    const outside = flat(graphs).map(({ tensor }) => tensor).filter(({ record }) => record.source.kind === "external");
    if (outside.length > 0 && model.functions.length + model.training.length > 0) {
      throw new Fault("unsupported", `${basename(path)} keeps external data and local functions or training graphs, which cannot be written together.`, "Export it without them.");
    }
    /** External tensors that stay: a new data file holds them and no more. */
    const kept = (factors: ReadonlyMap<string, unknown>): Promise<Moved[]> => {
      const gone = new Set([...factors.keys()].map((name) => uses.get(name)?.tensor));
      return moved(outside.filter((tensor) => !gone.has(tensor)), external);
    };
    const apply: OnnxSource["apply"] = async (factors, output, write) => {
      const edits = await editsFor({ file, irVersion: model.irVersion ?? 1, opset }, graphs, uses, factors);
      edits.push(...await repointed(file, await kept(factors), dataName(output)));
      for (const piece of spliced(edits, file.size)) {
        if ("bytes" in piece) await write(piece.bytes);
        else for (let at = piece.start; at < piece.end; at += CHUNK) await write(await file.read(at, Math.min(CHUNK, piece.end - at)));
      }
      await file.assertUnchanged();
    };
    const dataPaths = (output: string): string[] => (outside.length === 0 ? [] : [join(dirname(output), dataName(output))]);
    return {
      targets, apply, notes: [], bytes: null, beside: [],
      paths: (output) => [output, ...dataPaths(output)],
      write: async ({ steps, make }: FactorMaker, output: string, files: AtomicFiles) => {
        // Edits of one file depend on each other: a graph's nodes and its initializers.
        const factors = await make([...steps.keys()]);
        await files.write(output, (write) => apply(factors, output, write));
        for (const data of dataPaths(output)) await files.write(data, async (write) => copyData(await kept(factors), write));
      },
      activations: activationProbe(file, graphs, opset, multiplying, uncounted, () => locationsOf(outside, external)),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function editsFor(model: Omit<Surgeon, "names">, graphs: readonly PlacedGraph[], uses: ReadonlyMap<string, WeightUses>, factors: ReadonlyMap<string, readonly Factor[]>): Promise<Edit[]> {
  const surgeon: Surgeon = { ...model, names: new UniqueNames(namesIn(graphs)) };
  const edits: Edit[] = [];
  for (const [name, parts] of factors) {
    const found = uses.get(name);
    if (found === undefined) throw new Error(`"${name}" is no target`);
    edits.push(...await replaceLayer(surgeon, found, parts));
  }
  return edits;
}

function flat(graphs: readonly PlacedGraph[]): { tensor: PlacedTensor; graph: PlacedGraph }[] {
  return graphs.flatMap((graph) => [...graph.tensors.map((tensor) => ({ tensor, graph })), ...flat(graph.subgraphs)]);
}
