import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { Fault } from "../../../src/shared/fault";
import { DEFAULT_OPEN_OPTIONS, type Format } from "../../../src/models/model";
import { folder } from "./folders";
import { readAll } from "./opened";

/** Mutations of one file in CI; more are run by hand. */
const RUNS = Number(process.env["RANKLENS_FUZZ_RUNS"] ?? 10_000);

/** One change of a file's bytes; `at` counts through the places that may change, from any number. */
type Mutation =
  | { readonly kind: "flip" | "set"; readonly at: number; readonly value: number }
  | { readonly kind: "insert"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "delete" | "repeat"; readonly at: number; readonly length: number }
  | { readonly kind: "truncate"; readonly at: number };

/** @param telling bytes that mean something in the format, set more often than others */
function mutationOf(telling: readonly number[]): fc.Arbitrary<Mutation> {
  const at = fc.nat();
  return fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant("flip" as const), at, value: fc.integer({ min: 0, max: 7 }) }) },
    { weight: 8, arbitrary: fc.record({ kind: fc.constant("set" as const), at, value: fc.constantFrom(...telling) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("insert" as const), at, bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("delete" as const, "repeat" as const), at, length: fc.integer({ min: 1, max: 64 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("truncate" as const), at }) },
  );
}

function mutated(content: Buffer, places: readonly number[], mutations: readonly Mutation[]): Buffer {
  let out = Buffer.from(content);
  for (const change of mutations) {
    const place = places[change.at % places.length]!;
    if (place >= out.length) continue;
    switch (change.kind) {
      case "flip": out[place]! ^= 1 << change.value; break;
      case "set": out[place] = change.value; break;
      case "insert": out = Buffer.concat([out.subarray(0, place), change.bytes, out.subarray(place)]); break;
      case "delete": out = Buffer.concat([out.subarray(0, place), out.subarray(place + change.length)]); break;
      case "repeat": out = Buffer.concat([out.subarray(0, place + change.length), out.subarray(place)]); break;
      case "truncate": out = out.subarray(0, place); break;
    }
  }
  return out;
}

/** Opens a file and reads every weight. @returns the fault's code, or "opened"; throws what is no fault */
async function tryModel(format: Format, path: string): Promise<string> {
  try {
    const opened = await format.open(path, { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 });
    try {
      await readAll(opened);
    } finally {
      await opened.close();
    }
    return "opened";
  } catch (error) {
    if (error instanceof Fault) return error.code;
    throw error;
  }
}

/**
 * Opens many damaged versions of a file, each of which must open or get a fault, and its weights be read or get one.
 * @param places where bytes mean something
 * @returns how often each fault, or "opened", came out
 */
export async function openMutated(format: Format, name: string, content: Buffer, places: readonly number[], telling: readonly number[]): Promise<ReadonlyMap<string, number>> {
  const path = join(folder(), name);
  const codes = new Map<string, number>();
  await fc.assert(fc.asyncProperty(fc.array(mutationOf(telling), { minLength: 1, maxLength: 3 }), async (mutations) => {
    rmSync(path, { force: true });
    writeFileSync(path, mutated(content, places, mutations));
    const code = await tryModel(format, path);
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }), { seed: Number(process.env["RANKLENS_FUZZ_SEED"] ?? 20_240), numRuns: RUNS });
  if (process.env["RANKLENS_FUZZ_RUNS"] !== undefined) console.log(Object.fromEntries(codes));
  return codes;
}
