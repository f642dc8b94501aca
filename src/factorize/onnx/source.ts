import { dirname, resolve } from "node:path";
import { Fault } from "../../shared/fault";
import { FileBytes } from "../../models/fileBytes";
import type { Layer, OpenOptions } from "../../models/model";
import { locateLayers } from "../../models/onnx/locate";
import type { Source } from "../source";
import type { Factor } from "../scheme";
import { isWritable } from "../store";
import { isDepthwise, isConvolution, type Target } from "../target";
import { scanModel, type PlacedGraph, type PlacedTensor } from "./scan";
import { spliced, type Edit } from "./splice";
import { namesIn, replaceLayer } from "./surgery";
import { UniqueNames } from "./uniqueNames";
import { usesOf, type WeightUses } from "./uses";

/** Bytes copied at once from the old file to the new. */
const CHUNK = 4 * 1024 * 1024;

/** An ONNX model to be factorized: which of its layers can be, and how the new file is written. @throws Fault */
export async function openOnnxSource(path: string, layers: readonly Layer[], options: OpenOptions): Promise<Source> {
  const { layers: located, model, external } = await locateLayers(path, options);
  const file = await FileBytes.open(path);
  try {
    const graphs = await scanModel(file);
    const stored = new Map(flat(graphs).map((entry) => [entry.tensor.proto.start, entry]));
    const opset = model.opsets.find(({ domain }) => domain === "" || domain === "ai.onnx")?.version ?? 1;
    const uses = new Map<string, WeightUses>();
    const targets = layers.map((layer): Target | { readonly reason: string } => {
      const { tensor: { name, dtype, shape }, kind } = layer;
      const own = located.get(name);
      const place = own === undefined ? undefined : stored.get(own.record.message.start);
      if (own === undefined || place === undefined) return { reason: "its weight is stored where factors cannot be put (a function's body)" };
      if (own.quantized || !isWritable(dtype)) return { reason: `its weight is quantized (${dtype}): factors of full precision would be larger` };
      if (own.record.source.kind === "external") return { reason: "its weight is external data, which this version does not write" };
      const found = usesOf(place.tensor, place.graph, opset);
      if (typeof found === "string") return { reason: found };
      if (isConvolution(found.form) && isDepthwise(shape, found.form)) return { reason: "depthwise: each channel has one small kernel, so there is nothing to gain" };
      uses.set(name, found);
      return { name, kind, shape, dtype, form: found.form };
    });
    return {
      targets,
      apply: async (factors, output, write) => {
        if (external.files.length > 0) assertSameFolder(path, output);
        const edits = await editsFor(file, graphs, model.irVersion ?? 1, uses, factors);
        for (const piece of spliced(edits, file.size)) {
          if ("bytes" in piece) await write(piece.bytes);
          else for (let at = piece.start; at < piece.end; at += CHUNK) await write(await file.read(at, Math.min(CHUNK, piece.end - at)));
        }
        await file.assertUnchanged();
      },
      beside: [],
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function editsFor(file: FileBytes, graphs: readonly PlacedGraph[], irVersion: number, uses: ReadonlyMap<string, WeightUses>, factors: ReadonlyMap<string, readonly Factor[]>): Promise<Edit[]> {
  const surgeon = { file, irVersion, names: new UniqueNames(namesIn(graphs)) };
  const edits: Edit[] = [];
  for (const [name, parts] of factors) {
    const found = uses.get(name);
    if (found === undefined) throw new Error(`"${name}" is no target`);
    edits.push(...await replaceLayer(surgeon, found, parts));
  }
  return edits;
}

/** External data stays where it is, and is found relative to the model. */
function assertSameFolder(path: string, output: string): void {
  if (dirname(resolve(path)) === dirname(resolve(output))) return;
  throw new Fault("not-written", "The model keeps tensors in files beside it, which the new model needs too.", "Write the new model into the same folder.");
}

function flat(graphs: readonly PlacedGraph[]): { tensor: PlacedTensor; graph: PlacedGraph }[] {
  return graphs.flatMap((graph) => [...graph.tensors.map((tensor) => ({ tensor, graph })), ...flat(graph.subgraphs)]);
}
