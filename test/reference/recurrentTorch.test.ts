import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { folder } from "../unit/support/folders";
import { writeFactored } from "../unit/factorize/support/writeFactored";

/** LSTM, GRU and RNN of torch.nn in all their forms, factorized and loaded by the script that is written beside them. */
const SCRIPT = join(import.meta.dirname, "recurrent_torch.py");
const python = (...args: string[]): string => execFileSync("/usr/bin/python3", [SCRIPT, ...args], { encoding: "utf8" });
/** 24 combinations of kind, layers, directions and axes, a projected LSTM, an RNN of another activation, and three cells. */
const MODULES = 29;

interface Loaded {
  /** By layer, then by how it was called: batches, single sequences, packed ones, with and without a state. */
  readonly errors: Record<string, Record<string, number>>;
  readonly replaced: string[];
  readonly parameters: number;
}

let original: string;
beforeAll(() => {
  original = join(folder(), "model.safetensors");
  python("make", original);
});

async function loaded(isWanted: (name: string) => boolean, as: "factored" | "reconstructed" = "factored", rankOf?: (full: number) => number): Promise<Loaded & { layers: string[]; kept: Record<string, string> }> {
  const at = folder();
  const path = join(at, "factored.safetensors");
  const written = await writeFactored(original, path, "svd", "factored", rankOf, isWanted);
  const candidate = as === "factored" ? path : join(at, "whole.safetensors");
  if (as === "reconstructed") await writeFactored(original, candidate, "svd", as, rankOf, isWanted);
  return { ...written, ...(JSON.parse(python("check", original, candidate, join(at, "load_factorized.py"))) as Loaded) };
}

const errorsOf = ({ errors }: Loaded): [string, number][] => Object.entries(errors).flatMap(([name, own]) => Object.entries(own).map(([how, error]): [string, number] => [`${name}, ${how}`, error]));

describe("a recurrent layer of PyTorch", () => {
  it.each<[string, (name: string) => boolean]>([
    ["its input weights", (name) => name.includes("weight_ih")],
    ["its state weights", (name) => name.includes("weight_hh")],
    ["all of them", () => true],
    ["one direction of one layer", (name) => /weight_ih_l\d_reverse$|weight_hh_l1$|\.weight_ih$/.test(name)],
  ])("at full rank of %s gives the original outputs, however it is called", async (_, isWanted) => {
    const found = await loaded(isWanted);
    expect(found.layers.length).toBeGreaterThan(0);
    expect(Object.keys(found.errors)).toHaveLength(MODULES);
    // Weights of doubles: what is left is rounding.
    for (const [name, error] of errorsOf(found)) expect([name, error < 1e-12]).toEqual([name, true]);
    expect(found.replaced).toEqual([...new Set(found.layers.map((name) => name.slice(0, name.lastIndexOf("."))))].sort());
  });

  it("at a low rank computes what its weights multiplied out again do", async () => {
    const half = (full: number): number => Math.ceil(full / 3);
    const factored = await loaded(() => true, "factored", half), whole = await loaded(() => true, "reconstructed", half);
    expect(whole.replaced).toEqual([]);
    const expected = new Map(errorsOf(whole));
    for (const [name, error] of errorsOf(factored)) expect([name, error.toFixed(9)]).toEqual([name, expected.get(name)!.toFixed(9)]);
    expect(Math.min(...expected.values())).toBeGreaterThan(0.001);
    expect(factored.parameters).toBeLessThan(whole.parameters);
  });

  it("keeps the projection of its state whole", async () => {
    const { layers, kept } = await loaded(() => true);
    expect(layers.filter((name) => name.startsWith("projected."))).toHaveLength(8);
    expect(Object.keys(kept).filter((name) => name.includes("weight_hr"))).toHaveLength(4);
  });
});
