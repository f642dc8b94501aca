import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import { FileBytes } from "../../models/fileBytes";
import type { Layer } from "../../models/model";
import { readHeader, type Header } from "../../models/safetensors/header";
import { METADATA } from "../../models/safetensors/schema";
import type { Factor } from "../scheme";
import type { Output, Source } from "../source";
import { isWritable } from "../store";
import type { Form, Target } from "../target";
import { reconstructed } from "../reconstruct";
import { LOADER, LOADER_NAME, MODULES_KEY } from "./loader";
import { isTurned, isAlias, writtenTensors, type Written } from "./tensors";

const CHUNK = 4 * 1024 * 1024;
/** The header is padded with spaces so that data starts at a multiple of it, as the format's own library does. */
const ALIGNMENT = 8;
const WEIGHT = /^(.+)\.weight$/;

/** A safetensors file to be factorized. Layers are known by their tensors' names: there is no graph. @throws Fault */
export async function openSafetensorsSource(path: string, layers: readonly Layer[], output: Output): Promise<Source> {
  if (path.toLowerCase().endsWith(".json")) {
    throw new Fault("unsupported", `${basename(path)} is the index of a sharded checkpoint, which cannot be factorized yet.`, "Join the shards into one file first.");
  }
  const file = await FileBytes.open(path);
  try {
    const header = await readHeader(file);
    const targets = layers.map((layer): Target | { readonly reason: string } => {
      const form = formOf(layer, header, output);
      return typeof form === "string" ? { reason: form } : { name: layer.tensor.name, kind: layer.kind, shape: layer.tensor.shape, dtype: layer.tensor.dtype, form };
    });
    return {
      targets,
      beside: output === "factored" ? [{ name: LOADER_NAME, text: LOADER }] : [],
      data: () => null,
      async apply(factors, _, write) {
        const byName = new Map(targets.flatMap((target) => ("name" in target ? [[target.name, target] as const] : [])));
        const replaced = output === "factored" ? factors : new Map([...factors].map(([name, parts]) => [name, [whole(byName.get(name)!, parts)]]));
        const tensors = writtenTensors(header, replaced, output);
        await write(headerBytes(header, tensors, output === "factored" ? modulesOf(factors) : null));
        for (const [index, { data }] of tensors.entries()) {
          if (isAlias(tensors, index)) continue;
          if (data instanceof Uint8Array) await write(data);
          else for (let at = data.begin; at < data.end; at += CHUNK) await write(await file.read(header.dataStart + at, Math.min(CHUNK, data.end - at)));
        }
        await file.assertUnchanged();
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** How the layer applies its weight, or why it stays as it is. */
function formOf({ tensor, kind, views, notes }: Layer, header: Header, output: Output): Form | string {
  if (!isWritable(tensor.dtype)) return `its weight is quantized (${tensor.dtype}): factors of full precision would be larger`;
  if (!WEIGHT.test(tensor.name)) return "its tensor is no module's weight by its name";
  const tied = notes.find((note) => note.startsWith("also used as"));
  if (tied !== undefined || isShared(tensor.name, header)) return `its weight is ${tied ?? "shared with another tensor"}`;
  switch (kind) {
    case "linear": {
      if (tensor.shape.length !== 2) return "its weight is no matrix";
      if (views[0]?.input !== "rows") return { op: "linear", layout: "out_in" };
      return output === "factored" ? "its weight is stored as (in, out), which no module of torch.nn has" : { op: "linear", layout: "in_out" };
    }
    case "embedding": return tensor.shape.length === 2 ? { op: "embedding", layout: "in_out" } : "its weight is no matrix";
    case "conv": case "conv_transpose": {
      const depthwise = views[0]?.unfolding === "depthwise" || (tensor.shape[1] === 1 && (tensor.shape[0] ?? 0) > 1);
      return depthwise ? "depthwise, or of one input channel: the file does not say, and neither gains much" : { op: kind, groups: 1 };
    }
    default: return `a module of kind ${kind} takes its weight whole`;
  }
}

function isShared(name: string, { tensors, shared }: Header): boolean {
  const own = tensors.find((tensor) => tensor.name === name);
  return own !== undefined && (shared.has(own) || [...shared.values()].includes(own));
}

function whole(target: Target, factors: readonly Factor[]): Factor {
  return { role: "whole", op: "linear", groups: 1, axes: [], shape: target.shape, values: reconstructed(target, factors) };
}

/** What the loader needs to know: the steps of each module. */
function modulesOf(factors: ReadonlyMap<string, readonly Factor[]>): string {
  return JSON.stringify(Object.fromEntries([...factors].map(([name, parts]) => [
    WEIGHT.exec(name)?.[1] ?? name,
    parts.map(({ op, shape, groups, axes }, index) => ({ op, shape: isTurned(parts, index) ? [...shape].reverse() : shape, groups, axes })),
  ])));
}

function headerBytes(header: Header, tensors: readonly Written[], modules: string | null): Uint8Array {
  let [at, before] = [0, 0];
  const metadata = { ...Object.fromEntries(header.metadata), ...(modules === null ? {} : { [MODULES_KEY]: modules }) };
  const entries: [string, unknown][] = Object.keys(metadata).length === 0 ? [] : [[METADATA, metadata]];
  for (const [index, { name, dtype, shape, data }] of tensors.entries()) {
    const length = data instanceof Uint8Array ? data.length : data.end - data.begin;
    if (!isAlias(tensors, index)) [before, at] = [at, at + length];
    entries.push([name, { dtype, shape, data_offsets: [before, at] }]);
  }
  // Written entry by entry: an object would sort names that are numbers.
  const text = Buffer.from(`{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`);
  const padded = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT;
  const bytes = Buffer.alloc(8 + padded, " ");
  bytes.writeBigUInt64LE(BigInt(padded));
  text.copy(bytes, 8);
  return bytes;
}

