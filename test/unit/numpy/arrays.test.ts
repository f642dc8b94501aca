import { describe, expect, it } from "vitest";
import { DEFAULT_OPEN_OPTIONS, type Model } from "../../../src/models/model";
import { numpy } from "../../../src/models/numpy/format";
import { stateDictNameOf } from "../../../src/models/numpy/naming";
import { written } from "../support/folders";
import { openMutated } from "../support/mutations";
import { layer, reason } from "../support/opened";
import { ramp } from "../support/ramp";
import { zipFile } from "../support/zipFile";
import { npy } from "./npyFile";

const open = (bytes: Uint8Array, name = "w.npy"): Promise<Model> => numpy.open(written(bytes, name), { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 });
const values = async (bytes: Uint8Array): Promise<number[]> => {
  const model = await open(bytes);
  return Array.from(await model.read(layer(model, "w").tensor));
};
const floats = (list: readonly number[]): Buffer => Buffer.from(Float32Array.from(list).buffer);
const header = (descr: string, order: string, shape: string): string => `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;

describe("an array", () => {
  it("in C order is its bytes", async () => {
    expect(await values(npy(header("'<f4'", "False", "(2, 3)"), floats(ramp(6))))).toEqual(ramp(6));
  });

  it("in Fortran order is read row by row", async () => {
    expect(await values(npy(header("'<f4'", "True", "(2, 3)"), floats([0, 3, 1, 4, 2, 5])))).toEqual(ramp(6));
    // (2, 3, 2): the first axis is the fastest.
    expect(await values(npy(header("'<f4'", "True", "(2, 3, 2)"), floats([0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11])))).toEqual(ramp(12));
  });

  it("of the other byte order is swapped", async () => {
    expect(await values(npy(header("'>f4'", "False", "(2, 3)"), floats(ramp(6)).swap32()))).toEqual(ramp(6));
    expect(await values(npy(header("'>f8'", "False", "(2, 2)"), Buffer.from(Float64Array.of(1, 2, 3, 4).buffer).swap64()))).toEqual([1, 2, 3, 4]);
  });

  it.each([
    ["of Python 2", "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }"],
    ["with other quotes and spaces", "{ \"descr\" : \"<f4\" ,\"shape\":[2,3] , \"fortran_order\" : False}"],
    ["with keys that are not known", "{'descr': '<f4', 'extra': [(1, 'a'), {'b': None}], 'fortran_order': False, 'shape': (2, 3)}"],
  ])("may have a header %s", async (_what, text) => {
    expect(await values(npy(text, floats(ramp(6))))).toEqual(ramp(6));
  });

  it.each([1, 2, 3])("may be of version %i", async (version) => {
    expect(await values(npy(header("'<f4'", "False", "(2, 3)"), floats(ramp(6)), version))).toEqual(ramp(6));
  });
});

describe("a file that is no array", () => {
  it.each([
    ["is of another program", Buffer.from("not numpy at all"), "malformed", "does not begin with"],
    ["is cut off in its prefix", npy("", Buffer.alloc(0)).subarray(0, 8), "truncated", "inside of its header"],
    ["is cut off in its header", npy(header("'<f4'", "False", "(2, 3)"), Buffer.alloc(0)).subarray(0, 30), "truncated", "inside of its header"],
    ["is of version 9", npy(header("'<f4'", "False", "(2, 3)"), Buffer.alloc(24), 9), "unsupported", "NumPy's format 9.0"],
    ["claims a header of 2 GB", Buffer.concat([Buffer.from("\x93NUMPY\x02\x00\xff\xff\xff\x7f", "latin1"), Buffer.alloc(9)]), "too-large", "a header of 2147483647 bytes"],
    ["has code in its header", npy("__import__('os').system('false')", Buffer.alloc(24)), "malformed", "something else where { should be"],
    ["has code for a shape", npy(header("'<f4'", "False", "tuple(open('/x'))"), Buffer.alloc(24)), "malformed", "something else where [ should be"],
    ["has code for an order", npy(header("'<f4'", "exit()", "(2, 3)"), Buffer.alloc(24)), "malformed", "where True or False should be"],
    ["has a negative axis", npy(header("'<f4'", "False", "(-2, 3)"), Buffer.alloc(24)), "malformed", "where a whole number should be"],
    ["has an axis of 10³⁰", npy(header("'<f4'", "False", `(1${"0".repeat(30)}, 3)`), Buffer.alloc(24)), "malformed", "where a whole number should be"],
    ["has 65 axes", npy(header("'<f4'", "False", `(${"1, ".repeat(65)})`), Buffer.alloc(24)), "malformed", "more than 64 numbers"],
    ["has brackets in brackets", npy(`{'a': ${"[".repeat(9000)}`, Buffer.alloc(24)), "malformed", "nested more than 32 deep"],
    ["lacks its shape", npy("{'descr': '<f4', 'fortran_order': False}", Buffer.alloc(24)), "malformed", "lacks descr, fortran_order or shape"],
    ["has a string that does not end", npy("{'descr': '<f4", Buffer.alloc(24)), "malformed", "a string that does not end"],
    ["has more after its header's end", npy(`${header("'<f4'", "False", "(2, 3)")} + 1`, Buffer.alloc(24)), "malformed", "more after its end"],
    ["claims more values than it has", npy(header("'<f4'", "False", "(3, 3)"), Buffer.alloc(24)), "truncated", "12 before the end of its values"],
  ])("because it %s gets a fault", async (_what, bytes, code, message) => {
    await expect(open(bytes)).rejects.toMatchObject({ name: "Fault", code, message: expect.stringContaining(message) });
  });

  it.each([
    ["claims a shape whose product overflows", header("'<f4'", "False", "(4294967296, 4294967296)"), "its shape [4294967296, 4294967296] has too large a product"],
    ["holds Python objects", header("'|O'", "False", "(3,)"), "an array of Python objects, which only Python can read"],
    ["holds records", header("[('x', '<f4'), ('y', '<i4', (3,))]", "False", "(2,)"), "records of several fields: save each field as an array"],
    ["holds long doubles", header("'<f16'", "False", "(1, 1)"), "long double (16 bytes), whose format depends on the machine: save it as float64"],
    ["holds numbers of an unknown kind", header("'<q4'", "False", "(2, 3)"), "NumPy's type <q4 is not one that RankLens reads"],
  ])("as one that %s is listed with the reason", async (_what, text, why) => {
    expect(reason(await open(npy(text, Buffer.alloc(24))), "w")).toBe(why);
  });
});

describe("an archive", () => {
  const array = (shape: string): Buffer => npy(header("'<f4'", "False", shape), floats(ramp(6)));

  it.each([false, true])("gives each entry as an array (deflated: %s)", async (isDeflated) => {
    const model = await open(zipFile([{ name: "enc_w.npy", content: array("(2, 3)"), isDeflated }, { name: "b/kernel.npy", content: array("(3, 2)"), isDeflated }]), "w.npz");
    expect(model.layers.map(({ tensor }) => tensor.name)).toEqual(["enc_w", "b/kernel"]);
    expect(Array.from(await model.read(model.layers[1]!.tensor))).toEqual(ramp(6));
  });

  it("lists entries that are damaged or no arrays", async () => {
    const model = await open(zipFile([{ name: "w.npy", content: array("(2, 3)") }, { name: "bad.npy", content: Buffer.from("damaged!") }, { name: "read.me", content: Buffer.from("x") }]), "w.npz");
    expect(reason(model, "bad")).toContain("does not begin with");
    expect(reason(model, "read.me")).toBe("not a NumPy array");
  });

  it("without an array gets a fault", async () => {
    await expect(open(zipFile([{ name: "data.pkl", content: Buffer.from("x") }]), "w.npz")).rejects.toMatchObject({ code: "unsupported" });
    await expect(open(Buffer.from("PK\x03\x04 cut"), "w.npz")).rejects.toMatchObject({ code: "truncated" });
  });
});

describe("short names", () => {
  it.each([
    ["enc_w_ih", "enc.weight_ih"], ["dec_b_hh", "dec.bias_hh"], ["rnn.w_hh_l0_reverse", "rnn.weight_hh_l0_reverse"], ["fc_w", "fc.weight"], ["fc_b", "fc.bias"],
    ["enc_emb", "enc_emb"], ["arr_0", "arr_0"], ["w", "w"], ["layer.weight", "layer.weight"],
  ])("%s is %s", (short, long) => {
    expect(stateDictNameOf(short)).toBe(long);
  });
});

describe("a mutated file", () => {
  const cube = npy(header("'>f4'", "True", "(2, 3, 2)"), floats(ramp(12)));
  /** Punctuation, letters and digits of headers, and signatures of zip. */
  const TELLING = [..."{}()[],:'\"<>|=fiubOVSULTF0129 PK\x00\x01\xff"].map((character) => character.charCodeAt(0));

  it.each([
    ["an array", "w.npy", cube],
    ["an archive", "w.npz", zipFile([{ name: "a.npy", content: cube }, { name: "b.npy", content: cube, isDeflated: true }])],
  ])("%s opens or gets a fault, and its weights can be read or get a fault", async (_what, name, content) => {
    const codes = await openMutated(numpy, name, content, [...content.keys()], TELLING);
    expect(codes.get("opened")).toBeGreaterThan(0);
    expect(codes.get("malformed")).toBeGreaterThan(0);
    expect(codes.get("truncated")).toBeGreaterThan(0);
  }, 600_000);
});
