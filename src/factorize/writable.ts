import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Fault } from "../shared/fault";
import type { Model } from "../models/model";
import { assertOutput } from "./atomic";
import type { Source } from "./source";
import { assertEnding } from "./sources";

/**
 * Says before anything is computed why a model could not be written to a place.
 * @throws Fault not-written, usage
 */
export async function assertWritable(model: Model, source: Pick<Source, "beside">, output: string): Promise<void> {
  assertEnding(model, output);
  // Files that come beside it must not take the place of one of the original's either.
  for (const file of [output, `${output}.data`, `${output}.plan.json`]) await assertOutput(file, model.files);
  for (const { name, text } of source.beside) {
    const there = await readFile(join(dirname(output), name), "utf8").catch(() => null);
    // A script of that name that is not ours stays.
    if (there === null || there.split("\n")[0] === text.split("\n")[0]) continue;
    throw new Fault("not-written", `There is another ${name} in the folder of the output, which RankLens would have to overwrite.`, "Write into another folder.");
  }
}
