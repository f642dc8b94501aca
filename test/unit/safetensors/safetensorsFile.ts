import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DEFAULT_OPEN_OPTIONS, type Model, type OpenOptions } from "../../../src/models/model";
import { safetensors } from "../../../src/models/safetensors/format";
import { folder, written } from "../support/folders";

/** Writes safetensors files byte by byte, for tests, also such as no library would write. */

export interface Stored {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

export const floats = (...values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

/** A float32 tensor, 0, 1, 2 … unless values are given. */
export function f32(shape: readonly number[], values?: readonly number[]): Stored {
  const count = shape.reduce((product, size) => product * size, 1);
  return { dtype: "F32", shape, data: floats(...(values ?? Array.from({ length: count }, (_, index) => index))) };
}

export const stored = (dtype: string, shape: readonly number[], data: Uint8Array | readonly number[]): Stored => ({ dtype, shape, data: Uint8Array.from(data) });

/** Length, header text, data: as they are given. */
export function raw(header: string | Uint8Array, data: Uint8Array = new Uint8Array(), claimed?: bigint): Buffer {
  const text = Buffer.from(header as string);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimed ?? BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

/** A header's entry. */
export const entry = (dtype: string, shape: readonly number[], begin: number, end: number) => ({ dtype, shape, data_offsets: [begin, end] });

/** A whole file, tensors in the order given. */
export function file(tensors: Readonly<Record<string, Stored>>, metadata?: Readonly<Record<string, unknown>>): Buffer {
  const header: Record<string, unknown> = metadata === undefined ? {} : { __metadata__: metadata };
  let at = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) header[name] = entry(dtype, shape, at, at += data.length);
  return raw(JSON.stringify(header), Buffer.concat(Object.values(tensors).map(({ data }) => data)));
}

/** Writes files into one new folder, by relative path. @returns the folder */
export function files(contents: Readonly<Record<string, Uint8Array | string>>): string {
  const base = folder();
  for (const [name, content] of Object.entries(contents)) {
    mkdirSync(dirname(join(base, name)), { recursive: true });
    writeFileSync(join(base, name), content);
  }
  return base;
}

export const index = (weightMap: Readonly<Record<string, string>>): string => JSON.stringify({ metadata: { total_size: 0 }, weight_map: weightMap });

/** Opens a model that is written for one test; `body` also reads from it before it is closed. */
export async function withModel<T>(content: Uint8Array | string, body: (model: Model) => T | Promise<T>, options: Partial<OpenOptions> = {}): Promise<T> {
  const path = typeof content === "string" ? content : written(content, "model.safetensors");
  const model = await safetensors.open(path, { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1, ...options });
  try {
    return await body(model);
  } finally {
    await model.close();
  }
}
