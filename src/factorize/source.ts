import { basename, dirname, join } from "node:path";
import type { AtomicFiles } from "./atomic";
import type { ActivationProbe } from "./multiplyAdds";
import type { Factor, Step } from "./scheme";
import type { Target } from "./target";

/**
 * What is written: `factored`: the factors, smaller; `reconstructed`: weights of the same shapes, multiplied out again,
 * which load everywhere and are no smaller; `adapter`: the factors as an adapter in PEFT's layout, and a base model that holds
 * what they leave, so that both together are the original (see `safetensors/adapter.ts`).
 */
export const OUTPUTS = ["factored", "reconstructed", "adapter"] as const;
export type Output = (typeof OUTPUTS)[number];

/** Factors that are made when the writer has come to their layers: those of a large model are never in memory all at once. */
export interface FactorMaker {
  /** By the layer's name: what its factors will be. */
  readonly steps: ReadonlyMap<string, readonly Step[]>;
  /** @throws Fault not-finite, and those of reading */
  make(names: readonly string[]): Promise<ReadonlyMap<string, readonly Factor[]>>;
}

/** Factors that are there already. */
export function ready(factors: ReadonlyMap<string, readonly Factor[]>): FactorMaker {
  return { steps: factors, make: (names) => Promise.resolve(new Map(names.map((name) => [name, factors.get(name)!]))) };
}

/** A model to be factorized, whose output can be written. */
export interface Source {
  /** One for each of the model's layers, in their order: what can be factorized, or why it stays as it is. */
  readonly targets: readonly (Target | { readonly reason: string })[];
  /** What else becomes of the model, for a person: types that change, what is left out. */
  readonly notes: readonly string[];
  /** Bytes of the output if nothing were factorized, where that is not the model's own size. */
  readonly bytes: number | null;
  /** Paths of all files of the output but for those of `beside`. */
  paths(output: string): readonly string[];
  /**
   * Writes the model with factors in place of weights.
   * @param output where its main file will be
   * @throws Fault, Cancelled; the caller then discards the files
   */
  write(factors: FactorMaker, output: string, files: AtomicFiles): Promise<void>;
  /** What tells where its layers are applied; left out where the format has no graph. */
  readonly activations?: ActivationProbe;
  /** Multiply-adds of one position that no tensor of its own stands for; left out where there are none. */
  readonly tiedHead?: number;
  /** Files that go beside the model, by name: what loads it. */
  readonly beside: readonly { readonly name: string; readonly text: string }[];
  close(): Promise<void>;
}

/** Writes all files of a factorized model. @throws Fault, Cancelled; the caller then discards the files */
export async function writeAll(source: Source, factors: FactorMaker, output: string, files: AtomicFiles): Promise<void> {
  await source.write(factors, output, files);
  for (const { name, text } of source.beside) await files.write(join(dirname(output), name), (write) => write(Buffer.from(text)));
}

/** Where the plan of an output lies. */
export function planPath(output: string): string {
  return join(dirname(output), `${basename(output)}.plan.json`);
}

export function isTarget(target: Target | { readonly reason: string }): target is Target {
  return !("reason" in target);
}
