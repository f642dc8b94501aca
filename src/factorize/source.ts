import { dirname, join } from "node:path";
import type { AtomicFiles, Write } from "./atomic";
import type { Factor } from "./scheme";
import type { Target } from "./target";

/**
 * What is written: `factored`: the factors, smaller; `reconstructed`: weights of the same shapes, multiplied out again,
 * which load everywhere and are no smaller.
 */
export const OUTPUTS = ["factored", "reconstructed"] as const;
export type Output = (typeof OUTPUTS)[number];

/** A model to be factorized, in a format that can be written. */
export interface Source {
  /** One for each of the model's layers, in their order: what can be factorized, or why it stays as it is. */
  readonly targets: readonly (Target | { readonly reason: string })[];
  /**
   * Writes the model with factors in place of weights.
   * @param factors by the layer's name
   * @param output where the file will be
   */
  apply(factors: ReadonlyMap<string, readonly Factor[]>, output: string, write: Write): Promise<void>;
  /** The file beside the model that holds values which stay, where there is one. */
  data(factors: ReadonlyMap<string, readonly Factor[]>, output: string): { readonly name: string; write(write: Write): Promise<void> } | null;
  /** Files that go beside the model, by name: what loads it. */
  readonly beside: readonly { readonly name: string; readonly text: string }[];
  close(): Promise<void>;
}

/** Writes all files of a factorized model. @throws Fault, Cancelled; the caller then discards the files */
export async function writeAll(source: Source, factors: ReadonlyMap<string, readonly Factor[]>, output: string, files: AtomicFiles): Promise<void> {
  await files.write(output, (write) => source.apply(factors, output, write));
  const data = source.data(factors, output);
  if (data !== null) await files.write(join(dirname(output), data.name), (write) => data.write(write));
  for (const { name, text } of source.beside) await files.write(join(dirname(output), name), (write) => write(Buffer.from(text)));
}

export function isTarget(target: Target | { readonly reason: string }): target is Target {
  return !("reason" in target);
}
