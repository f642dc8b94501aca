import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exactSolver } from "../../src/linalg/exactSolver";
import { gather } from "../../src/models/gather";
import { keras } from "../../src/models/keras/format";
import { DEFAULT_OPEN_OPTIONS, type MatrixView, type Model, type Values } from "../../src/models/model";
import { onnx } from "../../src/models/onnx/format";
import { describeWithModels, modelFiles, MODELS } from "./models";

/** Against h5py (Debian's python3-h5py): every dataset is a layer or skipped, and values are equal bit for bit. */
const SCRIPT = join(import.meta.dirname, "keras_tensors.py");

interface Reference {
  readonly name: string;
  readonly shape: readonly number[];
  /** SHA-256 of float values as they are stored, and as Keras's own layers have them; null for other types. */
  readonly sha: string | null;
  readonly keras: string | null;
}

const sha = (values: Values) => createHash("sha256").update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest("hex");
const python = (...args: readonly string[]) => execFileSync("/usr/bin/python3", [SCRIPT, ...args], { encoding: "utf8", maxBuffer: 2 ** 26 });

async function withModel<T>(path: string, body: (model: Model) => Promise<T>): Promise<T> {
  const model = await (path.endsWith(".onnx") ? onnx : keras).open(path, { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 });
  try {
    return await body(model);
  } finally {
    await model.close();
  }
}

/** @returns how many layers were compared */
async function compare(path: string): Promise<number> {
  const reference = JSON.parse(python("read", path)) as Reference[];
  return withModel(path, async (model) => {
    const listed = [...model.layers.map(({ tensor }) => tensor), ...model.skipped].map(({ name, shape }) => `${name} [${shape.join(", ")}]`);
    expect(listed.sort()).toEqual(reference.map(({ name, shape }) => `${name} [${shape.join(", ")}]`).sort());
    const expected = new Map(reference.map((tensor) => [tensor.name, tensor.keras]));
    for (const { tensor } of model.layers) expect([tensor.name, sha(await model.read(tensor))]).toEqual([tensor.name, expected.get(tensor.name)]);
    return model.layers.length;
  });
}

const files = modelFiles(/\.(h5|hdf5)$/);

describeWithModels("every Keras model at hand", files, () => {
  it.each(files)("%s: has the datasets and the values that h5py reads", async (file) => {
    expect(await compare(join(MODELS, file))).toBeGreaterThan(2);
  });
});

describe("a file that h5py makes", () => {
  const folder = mkdtempSync(join(tmpdir(), "ranklens-keras-reference-"));
  beforeAll(() => { python("write", folder); });
  afterAll(() => { rmSync(folder, { recursive: true }); });

  it.each([
    ["default", 2], ["v108", 2], ["v110", 2], ["latest", 2], ["order", 2], ["userblock", 2], ["many", 300], ["types", 6], ["chunks", 7], ["links", 2],
  ])("%s.h5 has the datasets and the values that h5py reads", async (name, layers) => {
    expect(await compare(join(folder, `${name}.h5`))).toBe(layers);
  });
});

/** Singular values of all that a model is measured by, largest first, and of LSTMs as a whole too. */
async function spectra(path: string): Promise<ReadonlyMap<string, readonly Float64Array[]>> {
  return withModel(path, async (model) => {
    const found = new Map<string, readonly Float64Array[]>();
    for (const { tensor, kind, views } of model.layers) {
      const values = await model.read(tensor);
      const [rows = 1, columns = 1] = tensor.shape;
      const whole: MatrixView = { ...views[0]!, rows: [{ size: rows, stride: columns }], columns: [{ size: columns, stride: 1 }], offset: 0 };
      const measured = kind === "lstm" && tensor.shape.length === 2 ? [...views, whole] : views;
      found.set(tensor.name, await Promise.all(measured.map((view) => exactSolver.singularValues(gather(view, values)))));
    }
    return found;
  });
}

const isEqual = (a: Float64Array, b: Float64Array) => a.length === b.length && a.every((value, index) => Math.abs(value - b[index]!) <= 1e-9 * a[0]!);

describeWithModels("DTLN as Keras's weights", files, () => {
  it("has in each layer the spectra of its ONNX export, gate by gate, or as a whole where the export took the LSTM apart", async () => {
    const exported = [...await spectra(join(MODELS, "onnx/dtln_model_1.onnx")), ...await spectra(join(MODELS, "onnx/dtln_model_2.onnx"))];
    const own = await spectra(join(MODELS, "keras_h5/dtln_model.h5"));
    expect(own.size).toBe(12);
    for (const [name, matrices] of own) {
      const match = exported.find(([, others]) => matrices.slice(0, 4).every((matrix) => others.some((other) => isEqual(matrix, other))) || isEqual(matrices.at(-1)!, others[0]!));
      expect([name, match !== undefined]).toEqual([name, true]);
    }
  });
});
