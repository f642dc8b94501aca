import { crc32, deflateRawSync } from "node:zlib";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { keras } from "../../../src/models/keras/format";
import { DEFAULT_OPEN_OPTIONS, type Model, type OpenOptions } from "../../../src/models/model";
import { folder } from "../support/folders";
import type { DatasetToWrite } from "./hdf5Writer";

export const file = (content: Uint8Array, name = "model.h5"): string => {
  const path = join(folder(), name);
  writeFileSync(path, content);
  return path;
};

/** Opens a model that is written for one test; `body` also reads from it before it is closed. */
export async function withModel<T>(content: Uint8Array | string, body: (model: Model) => T | Promise<T>, options: Partial<OpenOptions> = {}): Promise<T> {
  const model = await keras.open(typeof content === "string" ? content : file(content), { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1, ...options });
  try {
    return await body(model);
  } finally {
    await model.close();
  }
}

/** Values 0, 1, 2, … */
export function dataset(...shape: readonly number[]): DatasetToWrite {
  return { shape, values: Array.from({ length: shape.reduce((product, size) => product * size, 1) }, (_, index) => index) };
}

/** A model's config: [class, name, further fields]. */
export function config(...layers: readonly (readonly [className: string, name: string, fields?: object])[]): string {
  return JSON.stringify({ class_name: "Functional", config: { name: "model", layers: layers.map(([className, name, fields]) => ({ class_name: className, config: { name, ...fields } })) } });
}

/** A zip archive of stored entries, as Keras writes its models, or of packed ones, as others may. */
export function archive(entries: Readonly<Record<string, Uint8Array>>, packed = false): Buffer {
  const parts: Buffer[] = [], directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(entries)) {
    const stored = packed ? deflateRawSync(content) : content;
    const head = Buffer.alloc(26);
    head.writeUInt16LE(packed ? 8 : 0, 4);
    head.writeUInt16LE(20, 0);
    head.writeUInt32LE(crc32(content), 10);
    head.writeUInt32LE(stored.length, 14);
    head.writeUInt32LE(content.length, 18);
    head.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), head, Buffer.from(name), stored]);
    const where = Buffer.alloc(14);
    where.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\0"), head, where, Buffer.from(name)]));
    parts.push(local);
    at += local.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(parts.length, 4);
  end.writeUInt16LE(parts.length, 6);
  end.writeUInt32LE(Buffer.concat(directory).length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...parts, ...directory, Buffer.from("PK\x05\x06"), end]);
}
