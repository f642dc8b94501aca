import { dirname } from "node:path";
import type { Layer, Model, OpenOptions } from "../../models/model";
import type { AtomicFiles } from "../atomic";
import type { FactorMaker, Output, Source } from "../source";
import { isWritable } from "../store";
import { arranged, type Form, type Target } from "../target";
import { adapterConfig, adapterEntries, adapterPaths, baseEntries, storedFactors } from "./adapter";
import { LOADER, LOADER_NAME } from "./loader";
import { indexText, recurrentWeight, shardPath, WEIGHT } from "./names";
import { movedNames, factoredEntries, factoredMetadata, reconstructedEntries } from "./outputs";
import { openPieces } from "./pieces/open";
import type { Piece, PieceFile, Pieces } from "./pieces/piece";
import { tiedHead, type TiedHead } from "./tiedHead";
import { dataBytes, writeSafetensors, type Entry } from "./writing";

/** A model that is written as safetensors. Layers are known by their tensors' names: there is no graph. @throws Fault */
export async function openTensorSource(model: Model, options: OpenOptions, output: Output): Promise<Source> {
  const { pieces, targets, tied } = await openTargets(model, options, output);
  const writer = new Writer(model, pieces, new Map(targets.flatMap((target) => ("name" in target ? [[target.name, target] as const] : []))), output);
  return {
    targets,
    notes: pieces.notes,
    ...(tied === null ? {} : { tiedHead: tied.multiplyAdds }),
    bytes: model.summary.format === "safetensors" ? null : pieces.files.flatMap((file) => file.pieces).reduce((sum, { bytes }) => sum + bytes, 0),
    beside: output === "factored" ? [{ name: LOADER_NAME, text: LOADER }] : [],
    paths: (path) => writer.paths(path),
    write: (factors, path, files) => writer.write(factors, path, files),
    close: () => pieces.close(),
  };
}

/** A model's tensors as safetensors would have them, and its layers as factors see them, in their order. @throws Fault */
export async function openTargets(model: Model, options: OpenOptions, output: Output): Promise<{ readonly pieces: Pieces; readonly byLayer: ReadonlyMap<string, Piece>; readonly targets: Source["targets"]; readonly tied: TiedHead | null }> {
  const [pieces, tied] = await Promise.all([openPieces(model, options), tiedHead(model)]);
  const byLayer = new Map(pieces.files.flatMap((file) => file.pieces.map((piece) => [piece.layer, piece] as const)));
  const targets = model.layers.map((layer) => (
    // The module that takes its place has no weight that a head could share.
    output === "factored" && tied?.layer === layer.tensor.name ? { reason: "its weight is the head's too: factors would have to serve both" } : targetOf(layer, byLayer.get(layer.tensor.name), output)
  ));
  return { pieces, byLayer, targets, tied };
}

class Writer {
  constructor(private readonly model: Model, private readonly pieces: Pieces, private readonly targets: ReadonlyMap<string, Target>, private readonly output: Output) {}

  paths(output: string): string[] {
    const { files, isSharded } = this.pieces;
    const { weights, config } = adapterPaths(output);
    return [output, ...(isSharded ? files.map((_, index) => shardPath(output, index, files.length)) : []), ...(this.output === "adapter" ? [weights, config] : [])];
  }

  async write(factors: FactorMaker, output: string, files: AtomicFiles): Promise<void> {
    const { files: parts, isSharded } = this.pieces;
    const { steps } = factors;
    // The adapter first: the base is made from what was written of it.
    const maker = this.output === "adapter" ? await this.writeAdapter(factors, output, files) : factors;
    const moved = movedNames(parts, steps);
    const entries = parts.map((part) => this.entriesOf(part, steps, moved));
    const paths = isSharded ? parts.map((_, index) => shardPath(output, index, parts.length)) : [output];
    if (isSharded) {
      const names = paths.map((path, index) => ({ path, names: entries[index]!.map(({ name }) => name) }));
      await files.write(output, (write) => write(Buffer.from(indexText(names, entries.reduce((sum, own) => sum + dataBytes(own), 0)))));
    }
    for (const [index, part] of parts.entries()) {
      const metadata = this.output === "factored" ? factoredMetadata(part, steps) : part.metadata;
      await files.write(paths[index]!, (write) => writeSafetensors(entries[index]!, metadata, maker, write));
    }
  }

  private entriesOf(part: PieceFile, steps: FactorMaker["steps"], moved: ReadonlyMap<string, string>): Entry[] {
    switch (this.output) {
      case "factored": return factoredEntries(part, steps, moved);
      case "reconstructed": return reconstructedEntries(part, steps, this.targets);
      case "adapter": return baseEntries(part, steps, this.targets, (name) => this.read(name));
    }
  }

  private async writeAdapter(factors: FactorMaker, output: string, files: AtomicFiles): Promise<FactorMaker> {
    const { files: parts } = this.pieces;
    const { weights, config } = adapterPaths(output);
    const entries = adapterEntries(parts, factors.steps, this.targets);
    files.makeFolder(dirname(weights));
    const written = await files.write(weights, (write) => writeSafetensors(entries, new Map([["format", "pt"]]), factors, write));
    await files.write(config, (write) => write(Buffer.from(adapterConfig(output, parts, factors.steps, this.targets))));
    return storedFactors(written, parts, factors.steps, this.targets);
  }

  private async read(name: string) {
    const layer = this.model.layers.find(({ tensor }) => tensor.name === name)!;
    return arranged(this.targets.get(name)!, await this.model.read(layer.tensor));
  }
}

/** The layer as factors see it, or why it stays as it is. */
function targetOf(layer: Layer, piece: Piece | undefined, output: Output): Target | { readonly reason: string } {
  if (layer.factored !== undefined) return { reason: "it is an adapter, which is factors already" };
  if (piece === undefined) return { reason: "it is no tensor of the model's own state" };
  const form = formOf(layer, piece, output);
  const { shape, dtype, axes, blocks } = piece;
  return typeof form === "string" ? { reason: form } : { name: layer.tensor.name, kind: layer.kind, shape, dtype, form, ...(axes === undefined ? {} : { axes }), ...(blocks === undefined ? {} : { blocks }) };
}

/** How the layer applies its weight, or why it stays as it is. */
function formOf({ kind, views, notes }: Layer, { name, dtype, shape, isAlias, axes }: Piece, output: Output): Form | string {
  if (!isWritable(dtype)) return `its weight is quantized (${dtype}): factors of full precision would be larger`;
  if (recurrentWeight(name) === null && !WEIGHT.test(name)) return "its tensor is no module's weight by its name";
  const tied = notes.find((note) => note.startsWith("also used as"));
  if (tied !== undefined || isAlias) return `its weight is ${tied ?? "shared with another tensor"}`;
  switch (kind) {
    case "linear": {
      if (shape.length !== 2) return "its weight is no matrix";
      // No module of torch.nn multiplies parts of its input apart.
      if (views[0]?.input !== "rows" || axes !== undefined) return { op: "linear", layout: "out_in", whole: true };
      return output === "factored" ? "its weight is stored as (in, out), which no module of torch.nn has" : { op: "linear", layout: "in_out", whole: true };
    }
    case "embedding": return shape.length === 2 ? { op: "embedding", layout: "in_out" } : "its weight is no matrix";
    case "conv": case "conv_transpose": {
      if (output === "adapter" && kind === "conv_transpose") return "PEFT has no adapter for transposed convolutions";
      const depthwise = views[0]?.unfolding === "depthwise" || (shape[1] === 1 && (shape[0] ?? 0) > 1);
      if (views.some(({ part }) => part?.startsWith("group:") === true)) return "a grouped convolution: the file does not say how its channels are shared";
      return depthwise ? "depthwise, or of one input channel: the file does not say, and neither gains much" : { op: kind, groups: 1 };
    }
    case "lstm": case "gru": case "rnn": {
      const side = recurrentWeight(name);
      if (side === null || shape.length !== 2) return "it is no weight of a recurrent layer of torch.nn by its name and shape";
      if (output === "adapter") return "PEFT has no adapter for recurrent layers";
      return { op: "recurrent", layout: "out_in", ...(side === "state" ? { state: true } : {}) };
    }
    default: return `a module of kind ${kind} takes its weight whole`;
  }
}
