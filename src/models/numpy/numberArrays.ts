import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import type { Values } from "../model";
import { readArray, type StoredArray } from "./arrays";
import { openNumpy } from "./files";

/** An array of data: floats, or integers, which are no weights to the reader of models. */
export interface NumberArray {
  readonly shape: readonly number[];
  readonly values: Values;
}

/** Arrays of numbers of a .npy or .npz, by name. @param next what to do where it has none @throws Fault of the file */
export async function numberArrays(path: string, next: string): Promise<Map<string, NumberArray>> {
  const { file, arrays } = await openNumpy(path);
  const readable = new Map<string, NumberArray>();
  await file.whileOpen(async () => {
    for (const array of arrays) if (holdsNumbers(array)) readable.set(array.name, { shape: array.shape, values: await readArray(array) });
  });
  if (readable.size > 0) return readable;
  throw new Fault("unsupported", `${basename(path)} holds no array of numbers (${arrays[0]?.name ?? ""}: ${arrays[0]?.reason ?? "empty"}).`, next);
}

/** Whether an array is of floats or of integers. */
export function holdsNumbers({ itemSize, reason, dtype }: StoredArray): boolean {
  return itemSize > 0 && (reason === null || reason === `${dtype}: not a weight`);
}
