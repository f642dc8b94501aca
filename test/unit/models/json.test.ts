import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fault } from "../../../src/shared/fault";
import { JsonReader } from "../../../src/models/json";

const reader = (text: string) => new JsonReader(Buffer.from(text), (at, what) => new Fault("malformed", `${what} at ${at}`));

/** Whether text is one JSON value, by our reader. */
function accepts(text: string): boolean {
  const json = reader(text);
  try {
    json.skip();
    json.end();
    return true;
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe("the JSON reader", () => {
  it("takes what JSON.parse takes, and nothing else", () => {
    const changed = fc.tuple(fc.json({ maxDepth: 4 }), fc.array(fc.tuple(fc.nat(), fc.constantFrom(..."{}[]\",:\\01e.-+ \ntfu", "")), { maxLength: 2 }))
      .map(([text, changes]) => changes.reduce((all, [at, character]) => all.slice(0, at % (all.length + 1)) + character + all.slice((at % (all.length + 1)) + 1), text));
    let taken = 0, refused = 0;
    fc.assert(fc.property(changed, (text) => {
      // Half a character is no text for us; JSON.parse takes it.
      fc.pre(!/\\u[dD][89a-fA-F]|\p{Surrogate}/u.test(text));
      const expected = isJson(text);
      if (expected) taken++;
      else refused++;
      expect([text, accepts(text)]).toEqual([text, expected]);
    }), { seed: 3, numRuns: 5000 });
    expect(Math.min(taken, refused)).toBeGreaterThan(500);
  });

  it("reads every string as JSON.parse does", () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }), fc.json()), (text) => {
      for (const written of [JSON.stringify(text), JSON.stringify(text).replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)]) {
        expect(reader(written).string()).toBe(text);
      }
    }), { seed: 4, numRuns: 2000 });
  });

  it("reads lists of sizes up to 2⁵³ − 1 and tells what is none", () => {
    expect(reader(" [ 0 ,9007199254740991,\t12 ] ").integers(3)).toEqual([0, 2 ** 53 - 1, 12]);
    expect(reader("[]").integers(0)).toEqual([]);
    for (const wrong of ["[9007199254740992]", "[99999999999999999999]", "[-1]", "[1.0]", "[1e2]", "[01]", "[1,]", "[,1]", "[1 2]", "[\"1\"]", "[null]", "[[1]]", "[1", "1", "[1,2,3,4]"]) {
      expect(() => reader(wrong).integers(3), wrong).toThrow(Fault);
    }
  });
});
