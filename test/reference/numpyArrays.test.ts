import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_OPEN_OPTIONS } from "../../src/models/model";
import { numpy } from "../../src/models/numpy/format";
import { layer, reason } from "../unit/support/opened";
import { describeWithModels, modelFiles, MODELS } from "./models";

/** Against NumPy (Debian's python3-numpy): every array that it reads is there, and floats have the same values, bit for bit. */
const PYTHON = "/usr/bin/python3";
const SCRIPT = join(import.meta.dirname, "numpy_arrays.py");
const made = mkdtempSync(join(tmpdir(), "ranklens-numpy-"));
execFileSync(PYTHON, [SCRIPT, "write", made]);
afterAll(() => rmSync(made, { recursive: true }));

const real = modelFiles(/\.np[yz]$/);
const files = [...readdirSync(made).sort().map((name) => [name, join(made, name)] as const), ...real.map((name) => [name, join(MODELS, name)] as const)];

interface Reference {
  readonly name: string;
  readonly shape: readonly number[];
  readonly sha: string | null;
}

const references = new Map<string, readonly Reference[]>();
beforeAll(() => {
  const out = execFileSync(PYTHON, [SCRIPT, "read", ...files.map(([, path]) => path)], { encoding: "utf8", maxBuffer: 2 ** 28 });
  for (const [index, found] of (JSON.parse(out) as Reference[][]).entries()) references.set(files[index]![1], found);
});

const options = { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 };

describe.each(files)("%s", (_name, path) => {
  it("holds the arrays that NumPy reads, with its values, bit for bit", async () => {
    const model = await numpy.open(path, options);
    const skipped = new Map(model.skipped.map((tensor) => [tensor.name, tensor]));
    expect(model.layers.length + skipped.size).toBe(references.get(path)!.length);
    for (const { name, shape, sha } of references.get(path)!) {
      const other = skipped.get(name);
      if (other !== undefined) {
        expect([name, other.shape]).toEqual([name, shape]);
        expect(sha === null || shape.length < 2 || shape.includes(0)).toBe(true);
        continue;
      }
      const { tensor } = layer(model, name);
      const values = await model.read(tensor);
      expect([name, tensor.shape, createHash("sha256").update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest("hex")]).toEqual([name, shape, sha]);
    }
  });
});

describe("what NumPy writes", () => {
  it("says why arrays of other types are no layers", async () => {
    const model = await numpy.open(join(made, "others.npz"), options);
    expect(Object.fromEntries(model.skipped.map(({ name, reason: why }) => [name, why]))).toEqual({
      integers: "int64: not a weight", flags: "bool: not a weight", complex: "complex numbers are not measured", text: "text: not a weight",
      long_double: "long double (16 bytes), whose format depends on the machine: save it as float64", dates: "dates: not a weight",
      objects: "an array of Python objects, which only Python can read", records: "records of several fields: save each field as an array",
      empty: "no elements", scalar: "a single number",
    });
    expect(model.layers.map(({ tensor }) => tensor.name)).toEqual(["weight"]);
  });

  it("notes Fortran order and big-endian values", async () => {
    const model = await numpy.open(join(made, "stored.npz"), options);
    expect(layer(model, "be_f4_F").notes).toEqual(["stored in Fortran order", "stored big-endian"]);
    expect(layer(model, "le_f2_C").notes).toEqual([]);
  });

});

describeWithModels("the real NumPy files", real, () => {
  it("hold GRUs and embeddings, by the short names of g2p_en", async () => {
    const model = await numpy.open(join(MODELS, "npz/g2p_en_checkpoint20.npz"), options);
    expect(model.layers.map(({ tensor: { name }, kind, module, views }) => [name, kind, module, views.map(({ part }) => part)])).toEqual([
      ["enc_emb", "embedding", "enc_emb", [null]],
      ["enc_w_ih", "gru", "enc.weight_ih", ["gate:r", "gate:z", "gate:n"]], ["enc_w_hh", "gru", "enc.weight_hh", ["gate:r", "gate:z", "gate:n"]],
      ["dec_emb", "embedding", "dec_emb", [null]],
      ["dec_w_ih", "gru", "dec.weight_ih", ["gate:r", "gate:z", "gate:n"]], ["dec_w_hh", "gru", "dec.weight_hh", ["gate:r", "gate:z", "gate:n"]],
      ["fc_w", "linear", "fc", [null]],
    ]);
    expect(reason(model, "enc_b_ih")).toBe("bias");
  });
});
