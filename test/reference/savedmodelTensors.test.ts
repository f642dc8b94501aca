import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { DEFAULT_OPEN_OPTIONS } from "../../src/models/model";
import { savedmodel } from "../../src/models/savedmodel/format";
import { describeWithModels, modelFiles, MODELS } from "./models";

/** Against a reader in Python that was written from the formats' descriptions: every variable, bit for bit. */
const SCRIPT = join(import.meta.dirname, "savedmodel_tensors.py");

interface Reference {
  readonly key: string;
  readonly shape: readonly number[];
  /** SHA-256 of the values of a float32 tensor; null for other types. */
  readonly sha: string | null;
}

const files = modelFiles(/saved_model\.pb$/);

describeWithModels("every SavedModel at hand", files, () => {
  it.each(files)("%s: has the variables and the values that Python reads", async (file) => {
    const reference = JSON.parse(execFileSync("/usr/bin/python3", [SCRIPT, join(MODELS, dirname(file), "variables/variables")], { encoding: "utf8", maxBuffer: 2 ** 26 })) as Reference[];
    const model = await savedmodel.open(join(MODELS, file), { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 });
    try {
      const listed = [...model.layers.map(({ tensor }) => tensor), ...model.skipped].map(({ shape }) => `[${shape.join(", ")}]`);
      expect(listed.sort()).toEqual(reference.map(({ shape }) => `[${shape.join(", ")}]`).sort());
      // Variables have other names here than keys there: the values tell which is which.
      const stored = new Map(reference.flatMap(({ key, sha }) => (sha === null ? [] : [[sha, key] as const])));
      for (const { tensor } of model.layers) {
        const values = await model.read(tensor);
        const key = stored.get(createHash("sha256").update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest("hex"));
        expect([tensor.name, key]).toEqual([tensor.name, expect.stringContaining(tensor.name.split("/").at(-1)!)]);
      }
      expect(model.layers.length).toBeGreaterThan(0);
    } finally {
      await model.close();
    }
  });
});
