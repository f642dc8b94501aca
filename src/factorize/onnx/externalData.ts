import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import { FileBytes } from "../../models/fileBytes";
import type { ExternalData } from "../../models/onnx/external";
import { place } from "../../models/onnx/placement";
import { EXTERNAL_LOCATION, STRING_ENTRY, TENSOR } from "../../models/onnx/schema";
import { WireReader } from "../../models/onnx/wire";
import { bytesField, integerField, joined, textField } from "./encode";
import type { PlacedTensor } from "./scan";
import type { Edit } from "./splice";

/** So that a reader may map tensors into memory (IR.md, "External Data"). */
const PAGE = 4096;
const CHUNK = 4 * 1024 * 1024;

/** A tensor's values in one of the old files, and where they go in the new one. */
export interface Moved {
  readonly tensor: PlacedTensor;
  readonly from: string;
  readonly offset: number;
  readonly length: number;
  readonly to: number;
}

/** The name of the data file of a new model: one beside it, whatever the old one had. */
export function dataName(output: string): string {
  return `${basename(output)}.data`;
}

/**
 * Where the tensors that stay go, in the model's order.
 * @throws Fault external-data-missing
 */
export async function moved(tensors: readonly PlacedTensor[], external: ExternalData): Promise<Moved[]> {
  const all: Moved[] = [];
  let at = 0;
  for (const tensor of tensors) {
    const found = await place(tensor.record, external);
    if (found.kind !== "bytes" || found.file === null) {
      throw new Fault("external-data-missing", `The values of ${tensor.name} cannot be copied: ${found.kind === "nowhere" ? found.reason : "they are not where they should be"}.`, "Put the model's data files back beside it.");
    }
    const to = Math.ceil(at / PAGE) * PAGE;
    all.push({ tensor, from: found.file.path, offset: found.offset, length: found.length, to });
    at = to + found.length;
  }
  return all;
}

/** The files that tensors are in: the path that the model gives, relative to its folder, and the file's own. */
export async function locationsOf(tensors: readonly PlacedTensor[], external: ExternalData): Promise<{ location: string; path: string }[]> {
  const locations = new Set(tensors.flatMap(({ record: { source } }) => (source.kind === "external" ? [source.location] : [])));
  const found = await Promise.all([...locations].map(async (location) => ({ location, file: await external.find(location) })));
  return found.flatMap(({ location, file }) => (typeof file === "string" ? [] : [{ location, path: file.path }]));
}

/** The edits that point tensors to the new data file. */
export async function repointed(file: FileBytes, all: readonly Moved[], name: string): Promise<Edit[]> {
  const edits: Edit[] = [];
  for (const { tensor: { proto }, to, length } of all) {
    const around = [...proto.around, proto];
    let at = proto.start;
    await new WireReader(file).message(proto, 0, (field) => {
      if (field.number === TENSOR.externalData || field.number === TENSOR.dataLocation) edits.push({ start: at, end: field.end, bytes: new Uint8Array(0), around });
      at = field.end;
    });
    const entries = [["location", name], ["offset", String(to)], ["length", String(length)]] as const;
    const bytes = joined([
      ...entries.map(([key, value]) => bytesField(TENSOR.externalData, textField(STRING_ENTRY.key, key), textField(STRING_ENTRY.value, value))),
      integerField(TENSOR.dataLocation, EXTERNAL_LOCATION),
    ]);
    edits.push({ start: proto.end, end: proto.end, bytes, around });
  }
  return edits;
}

/** Copies values into the new data file, zeros between them. */
export async function copyData(all: readonly Moved[], write: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  let at = 0;
  for (const { from, offset, length, to } of all) {
    if (to > at) await write(new Uint8Array(to - at));
    const file = await FileBytes.open(from);
    try {
      for (let done = 0; done < length; done += CHUNK) await write(await file.read(offset + done, Math.min(CHUNK, length - done)));
      await file.assertUnchanged();
    } finally {
      await file.close();
    }
    at = to + length;
  }
}
