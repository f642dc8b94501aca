import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readWholePickle } from "../../src/models/pytorch/pickle/read";
import { type MadeObject, PersistentObject, PickleDict, PickleList, PickleTuple, type PickleValue } from "../../src/models/pytorch/pickle/values";

/** Against Python's own pickler: one object in every protocol is read as what it was. */
const pickles = JSON.parse(execFileSync("/usr/bin/python3", [join(import.meta.dirname, "pickles.py")], { encoding: "utf8" })) as string[];

const read = (base64: string): PickleDict => {
  const value = readWholePickle(Buffer.from(base64, "base64"), "a pickle", { persistent: (id) => new PersistentObject(id) });
  if (!(value instanceof PickleDict)) throw new Error("no dict");
  return value;
};

/** Plain values, lists for tuples and lists, maps for dicts. */
function plain(value: PickleValue): unknown {
  if (value instanceof PickleList || value instanceof PickleTuple) return value.items.map(plain);
  if (value instanceof PickleDict) return new Map([...value.entries].map(([key, item]) => [key, plain(item)]));
  return value;
}

describe.each(pickles.map((pickle, protocol) => [protocol, read(pickle)] as const))("protocol %i", (_protocol, value) => {
  const at = (key: string) => value.entries.get(key)!;
  const list = (key: string) => (at(key) as PickleList).items;

  it("gives numbers, truth values and texts as they were", () => {
    expect([at("none"), at("true"), at("false")]).toEqual([null, true, false]);
    expect(plain(at("integers"))).toEqual([0, 1, 255, 256, 65535, 65536, -1, -256, 2147483647, -2147483648, 2147483648, 9007199254740991, -9007199254740991]);
    expect(plain(at("large"))).toEqual([2n ** 64n, -(2n ** 64n), 2n ** 200n, -(2n ** 63n)]);
    expect(plain(at("floats"))).toEqual([0, -0.5, 1e300, 3.141592653589793, Infinity, -1e-310]);
    expect(plain(at("texts"))).toEqual(["", "plain", "ä € 😀", "tab\tline\nquote'\"\\", "x".repeat(300)]);
  });

  it("gives tuples, lists and dicts as they were", () => {
    expect(plain(at("tuples"))).toEqual([[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]);
    expect(plain(at("nested"))).toEqual(new Map<unknown, unknown>([["a", new Map([["b", [new Map([["c", [1, [2]]]])]]])], [7, "seven"]]));
    expect(plain(at("ordered"))).toEqual(new Map([["x", 1], ["y", 2]]));
    expect(plain(at("default"))).toEqual(new Map([["k", [1]]]));
    expect(plain(at("many"))).toEqual(Array.from({ length: 2500 }, (_, index) => index));
    expect((at("dict_of_many") as PickleDict).entries.size).toBe(1500);
  });

  it("gives what was one object as one, and cycles as cycles", () => {
    expect(list("shared")[0]).toBe(list("shared")[1]);
    expect(list("cycle")[1]).toBe(at("cycle"));
  });

  it("gives an object as the name of its class, and its attributes", () => {
    const object = at("object") as MadeObject;
    expect(object.maker.full).toBe("__main__.Plain");
    expect(object.state.map(plain)).toEqual([new Map([["field", "value"]])]);
  });
});
