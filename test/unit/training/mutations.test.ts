import fc from "fast-check";
import { describe, it } from "vitest";
import { adaptedBy } from "../../../src/training/adapted";
import { findingsOf } from "../../../src/training/checks/checks";
import { readConfigs } from "../../../src/training/ecosystems/ecosystems";
import { rewritesOf } from "../../../src/training/rewrites/rewrites";
import { llama } from "./madeModules";
import { SAMPLE_CONFIGS } from "./sampleConfigs";

/** Mutations in CI; more are run by hand. */
const RUNS = Number(process.env["RANKLENS_FUZZ_RUNS"] ?? 2_000);
/** What means something in one of the languages, or breaks it. */
const TELLING = ["\n", "\t", "  ", ":", "'", "\"", "[", "]", "{", "}", ",", "#", "- ", "&a ", "*a", "<<: ", "${x}", "=", "(", ")", "|", ".*", "\\", "null", "-1", "1e9", "0", "🦙", "\r\n", "%", "q_prj", "**", "---\n", "? "];
const MODEL = llama({ layers: 2, hidden: 64, intermediate: 128, keysAndValues: 16, vocabulary: 100 });

interface Change {
  readonly at: number;
  readonly insert: string;
  readonly remove: number;
}

const changes = fc.array(fc.record({ at: fc.nat(), insert: fc.constantFrom("", ...TELLING), remove: fc.oneof(fc.constant(0), fc.nat(20)) }), { minLength: 1, maxLength: 4 });

function changed(text: string, all: readonly Change[]): string {
  return all.reduce((before, { at, insert, remove }) => {
    const start = at % (before.length + 1);
    return before.slice(0, start) + insert + before.slice(start + remove);
  }, text);
}

describe("whatever is typed into a config", () => {
  it("nothing throws, and every finding and edit lies in the text", () => {
    fc.assert(fc.property(fc.constantFrom(...SAMPLE_CONFIGS), changes, ({ text, language, fileName }, all) => {
      const mutated = changed(text, all);
      for (const config of readConfigs(mutated, language, fileName)) {
        const outcome = adaptedBy(config, MODEL);
        const found = findingsOf(config, MODEL);
        const edits = [...found.flatMap(({ fixes }) => fixes), ...rewritesOf(config, outcome.known ? outcome.adapted : null, MODEL)].flatMap((fix) => fix.edits);
        for (const { start, end } of [...found, ...edits].map(({ range }) => range)) {
          if (start < 0 || start > end || end > mutated.length) throw new Error(`${start} to ${end} of ${mutated.length}`);
        }
      }
    }), { numRuns: RUNS });
  });
});
