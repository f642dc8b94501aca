import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import type { Values } from "../model";
import { holdsNumbers, readArray } from "./arrays";
import { openNumpy } from "./files";

/** An array of data: floats, or integers, which are no weights to the reader of models. */
export interface NumberArray {
  readonly shape: readonly number[];
  readonly values: Values;
}

/** One that is read when it is asked for. */
export interface UnreadArray {
  readonly shape: readonly number[];
  /** @throws Fault of the file */
  read(): Promise<Values>;
}

/** Arrays of numbers of a .npy or .npz, by name. @param next what to do where it has none @throws Fault of the file */
export async function numberArrays(path: string, next: string): Promise<Map<string, NumberArray>> {
  return withNumberArrays(path, next, async (unread) => {
    const arrays = new Map<string, NumberArray>();
    for (const [name, { shape, read }] of unread) arrays.set(name, { shape, values: await read() });
    return arrays;
  });
}

/** As `numberArrays`, for data that is more than memory: the file is open while they are used. */
export async function withNumberArrays<T>(path: string, next: string, use: (arrays: ReadonlyMap<string, UnreadArray>) => Promise<T>): Promise<T> {
  const { file, arrays } = await openNumpy(path);
  const readable = new Map(arrays.filter(holdsNumbers).map((array) => [array.name, { shape: array.shape, read: () => readArray(array) }]));
  if (readable.size > 0) return file.whileOpen(() => use(readable));
  throw new Fault("unsupported", `${basename(path)} holds no array of numbers (${arrays[0]?.name ?? ""}: ${arrays[0]?.reason ?? "empty"}).`, next);
}
