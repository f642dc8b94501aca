import { Fault } from "../../../shared/fault";
import type { Model, OpenOptions } from "../../../models/model";
import { ggufPieces } from "./ofGguf";
import { kerasPieces } from "./ofKeras";
import { numpyPieces } from "./ofNumpy";
import type { Pieces } from "./piece";
import { pytorchPieces } from "./ofPytorch";
import { safetensorsPieces } from "./ofSafetensors";

/** Formats whose tensors can be written as safetensors. A new one is a file beside these and a line here. */
const OPENERS: Readonly<Record<string, (path: string, options: OpenOptions) => Promise<Pieces>>> = {
  safetensors: safetensorsPieces, pytorch: pytorchPieces, gguf: ggufPieces, keras: kerasPieces, numpy: numpyPieces,
};

export function hasPieces(format: string): boolean {
  return Object.hasOwn(OPENERS, format);
}

/** @throws Fault unsupported for other formats, and those of each */
export async function openPieces({ summary: { path, format } }: Model, options: OpenOptions): Promise<Pieces> {
  const open = OPENERS[format];
  if (open === undefined) throw new Fault("unsupported", `Models of the format ${format} cannot be written as safetensors.`, `${Object.keys(OPENERS).join(", ")} can.`);
  return open(path, options);
}
