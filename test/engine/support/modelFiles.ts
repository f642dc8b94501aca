import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TestTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A folder that goes away with `remove`. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "ranklens-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The safetensors format in full: u64 header length, JSON header, float32 tensors back to back. */
export function safetensorsBytes(tensors: Readonly<Record<string, TestTensor>>): Buffer {
  const header: Record<string, unknown> = {};
  const bodies: Buffer[] = [];
  let offset = 0;
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    const body = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + body.length] };
    offset += body.length;
    bodies.push(body);
  }
  const json = Buffer.from(JSON.stringify(header));
  const text = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, " ")]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...bodies]);
}

export function writeModel(folder: string, name: string, tensors: Readonly<Record<string, TestTensor>>): string {
  const path = join(folder, name);
  writeFileSync(path, safetensorsBytes(tensors));
  return path;
}

/** Uniform values in [-1, 1) from a seed (mulberry32). */
export function noise(seed: number, ...shape: number[]): TestTensor {
  let state = seed;
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (let i = 0; i < values.length; i++) {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    values[i] = ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  }
  return { shape, values };
}

/** diag(values): its singular values are known without computing. */
export function diagonal(...values: number[]): TestTensor {
  const matrix = new Float32Array(values.length ** 2);
  values.forEach((value, i) => { matrix[i * values.length + i] = value; });
  return { shape: [values.length, values.length], values: matrix };
}
