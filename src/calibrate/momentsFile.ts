import { open, type FileHandle } from "node:fs/promises";
import type { Moment } from "./moment";

/** Of the numbers that come first: how many moments, their inputs, and the count. Each moment has its fourth ahead. */
const HEAD = 3;
const BYTES = Float64Array.BYTES_PER_ELEMENT;

/**
 * Moments of one layer, one for each of its groups, for another process of this machine: those of a large model are never in
 * memory all at once, nor sent.
 */
export async function writeMoments(path: string, moments: readonly Moment[]): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(bytesOf(Float64Array.of(moments.length, moments[0]?.inputs ?? 0, moments[0]?.count ?? 0)));
    for (const { mean, fourth } of moments) {
      await file.writeFile(bytesOf(Float64Array.of(fourth)));
      await file.writeFile(bytesOf(mean));
    }
  } finally {
    await file.close();
  }
}

export async function readMoments(path: string): Promise<Moment[]> {
  const file = await open(path, "r");
  try {
    const [groups = 0, inputs = 0, count = 0] = await numbers(file, 0, HEAD);
    const moments: Moment[] = [];
    const size = inputs * inputs;
    for (let group = 0, at = HEAD; group < groups; group++, at += 1 + size) {
      const [fourth = 0] = await numbers(file, at, 1);
      moments.push({ inputs, count, fourth, mean: await numbers(file, at + 1, size) });
    }
    return moments;
  } finally {
    await file.close();
  }
}

async function numbers(file: FileHandle, start: number, count: number): Promise<Float64Array> {
  const values = new Float64Array(count);
  const bytes = bytesOf(values);
  let read = 0;
  while (read < bytes.length) {
    const { bytesRead } = await file.read(bytes, read, bytes.length - read, start * BYTES + read);
    if (bytesRead === 0) throw new Error("a file of moments ends early");
    read += bytesRead;
  }
  return values;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
