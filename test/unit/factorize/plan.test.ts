import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePlan, PLAN_SCHEMA, planText, type Plan } from "../../../src/factorize/plan";
import { Fault } from "../../../src/shared/fault";

const PLAN: Plan = {
  schema: PLAN_SCHEMA, tool: { name: "ranklens", version: "1.0.0" }, source: { file: "m.onnx", format: "onnx", sha256: "ab", parameters: 700 }, choice: "ranks energy:0.9, scheme auto",
  multiplyAdds: { before: 5, after: 4, per: "one run", uncounted: ["b"] },
  latency: { beforeMs: 2, budgetMs: 1, budgetShare: null, expectedMs: 1.5, unmeasured: [] },
  layers: [
    { name: "a", action: "factorize", scheme: "svd", ranks: [3], reason: "energy", parametersBefore: 400, parametersAfter: 120, relativeError: 0.25, multiplyAddsBefore: 3, multiplyAddsAfter: 2 },
    { name: "b", action: "keep", scheme: null, ranks: [], reason: "last layer", parametersBefore: 300, parametersAfter: 300, relativeError: 0 },
  ],
};

/** The plan with another value at a path; without it for undefined, which JSON has not. */
function edited(path: readonly (string | number)[], value: unknown): string {
  const copy = JSON.parse(planText(PLAN)) as Record<string | number, unknown>;
  const last = path.at(-1)!;
  const parent = path.slice(0, -1).reduce<Record<string | number, unknown>>((at, key) => at[key] as Record<string | number, unknown>, copy);
  parent[last] = value;
  return JSON.stringify(copy);
}

const why = (text: string): string => {
  try {
    parsePlan(text, "p.json");
  } catch (error) {
    if (error instanceof Fault && error.code === "malformed" && error.next !== "") return error.message;
    throw error;
  }
  return "it is a plan";
};

describe("a plan from a file", () => {
  it("is what was written, alone or in the output of --json", () => {
    expect(parsePlan(planText(PLAN), "p.json")).toEqual(PLAN);
    expect(parsePlan(JSON.stringify({ plan: PLAN, before: {} }), "p.json")).toEqual(PLAN);
  });

  it.each([
    [["layers", 0, "ranks"], [1.5], /^p\.json is no plan of RankLens: layer 1, a: its "ranks" is not a list of whole numbers from 1\.$/],
    [["layers", 0, "ranks"], [1e300], /layer 1, a: its "ranks"/],
    [["layers", 0, "ranks"], [], /layer 1, a: its "ranks"/],
    [["layers", 0, "ranks"], "3", /layer 1, a: its "ranks"/],
    [["layers", 0, "scheme"], "__proto__", /layer 1, a: its "scheme" is not one of svd, /],
    [["layers", 0, "scheme"], "constructor", /its "scheme"/],
    [["layers", 0, "action"], "drop", /its "action" is not keep or factorize/],
    [["layers", 0, "name"], 7, /layer 1: its "name" is not a text/],
    [["layers", 1, "name"], "a", /layer 2, a, is there twice/],
    [["layers", 1, "reason"], undefined, /layer 2, b: its "reason" is missing: it should be a text/],
    [["layers", 0, "parametersBefore"], "NaN", /layer 1, a: its "parametersBefore" is not a whole number/],
    [["layers", 0, "parametersAfter"], -1, /its "parametersAfter"/],
    [["layers", 0, "relativeError"], null, /its "relativeError" is not a number/],
    [["layers", 0, "multiplyAddsAfter"], {}, /its "multiplyAddsAfter"/],
    [["layers", 0], null, /layer 1: it is no object/],
    [["layers"], {}, /its "layers" is not a list/],
    [["choice"], 1, /its "choice" is not a text/],
    [["source", "sha256"], undefined, /its source's "sha256" is missing/],
    [["source"], [], /its "source" is not an object/],
    [["multiplyAdds"], 3, /its "multiplyAdds"/],
    [["multiplyAdds", "uncounted"], [1], /its multiplyAdds' "uncounted" is not a list of names/],
    [["latency", "beforeMs"], "2", /its latency's "beforeMs" is not a number/],
    [["schema"], "ranklens.plan/2", /its schema is not ranklens\.plan\/1/],
  ] as const)("says what is wrong at %j when it is %j", (path, value, words) => {
    expect(why(edited(path, value))).toMatch(words);
  });

  it("is refused in a sentence, whatever it holds", () => {
    expect(why('{"__proto__": {"schema": "ranklens.plan/1"}}')).toMatch(/its schema/);
    expect(why("[".repeat(100_000))).toMatch(/it is no JSON/);
    fc.assert(fc.property(fc.json(), (text) => { expect(why(text)).toMatch(/is no plan of RankLens: /); }));
    const paths = fc.constantFrom<readonly (string | number)[]>(["layers", 0, "ranks"], ["layers", 0, "name"], ["layers", 1], ["source"], ["choice"], ["latency"], ["multiplyAdds", "before"]);
    fc.assert(fc.property(paths, fc.jsonValue(), (path, value) => { expect(why(edited(path, value))).toMatch(/is no plan of RankLens: |^it is a plan$/); }));
  });
});
