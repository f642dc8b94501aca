import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { multiplyAddsApart } from "../../src/engine/multiplyAddsApart";
import type { MultiplyAdds } from "../../src/factorize/multiplyAdds";
import { multiplyAddsOf, wholeStep } from "../../src/factorize/scheme";
import { openSource } from "../../src/factorize/sources";
import { openModel } from "../../src/models/formats";
import { DEFAULT_OPEN_OPTIONS } from "../../src/models/model";
import { buildPrograms, type Programs } from "../engine/support/programs";

/** Multiply-adds as they are counted by running a model, against the onnx package, which infers the shapes. */
const MODELS = join(import.meta.dirname, "../../../shared/models");
const FILES = ["onnx/ort_mnist_cnn.onnx", "onnx/ultraface_RFB-320.onnx", "onnx/ultraface_slim-320_simplified.onnx"].map((file) => join(MODELS, file));

let programs: Programs;
beforeAll(async () => { programs = await buildPrograms(); });
afterAll(() => programs.remove());

async function counted(path: string): Promise<{ multiplyAdds: MultiplyAdds; byLayer: Map<string, number> }> {
  const options = { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 };
  const model = await openModel(path, options);
  const source = await openSource(model, options, "factored");
  const multiplyAdds = await multiplyAddsApart(source, path, programs.verify, new AbortController().signal);
  const layers = source.activations?.layers ?? source.targets.filter((target) => "form" in target);
  const byLayer = new Map(layers.map((target) => [target.name, multiplyAddsOf([wholeStep(target)], multiplyAdds.positions.get(target.name)!)]));
  await Promise.all([source.close(), model.close()]);
  return { multiplyAdds, byLayer };
}

describe.skipIf(!existsSync(MODELS))("the multiply-adds of a real model", () => {
  it.each(FILES.map((path, index) => [basename(path), path, index] as const))("%s: agree layer by layer with the onnx package's shape inference", async (_, path, index) => {
    const expected = new Map(Object.entries((JSON.parse(execFileSync("/usr/bin/python3", [join(import.meta.dirname, "multiply_adds.py"), ...FILES], { encoding: "utf8" })) as Record<string, number>[])[index]!));
    const { multiplyAdds, byLayer } = await counted(path);
    expect(byLayer.size).toBeGreaterThan(1);
    for (const [name, count] of byLayer) expect([name, count]).toEqual([name, expected.get(name)]);
    expect(multiplyAdds.total).toBe([...byLayer.values()].reduce((sum, count) => sum + count, 0));
  });

  it("of a format without a graph are those of one position of each layer", async () => {
    const { multiplyAdds, byLayer } = await counted(join(MODELS, "safetensors/tinystories_656k/model.safetensors"));
    // Its head is an alias of the embedding: 2048 tokens of 128 numbers.
    expect(multiplyAdds.per).toBe("one position of each layer, and of the head that shares the embedding");
    expect(multiplyAdds.total - [...byLayer.values()].reduce((sum, count) => sum + count, 0)).toBe(2048 * 128);
    // Queries of the first block: 128 × 128 weights, each used once for a token.
    expect(byLayer.get("model.layers.0.self_attn.q_proj.weight")).toBe(128 * 128);
  });

  it("with external data, and with open axes, are those of the inputs that they name", async () => {
    const { multiplyAdds, byLayer } = await counted(join(MODELS, "derived/onnx/tinystories_656k_extdata.onnx"));
    expect(multiplyAdds.per).toBe("one run on input_ids [1, 16]");
    expect([...byLayer.values()]).toContain(16 * 128 * 128);
  });

  it("of a model with operators of its own, which ONNX Runtime does not load, are not known, and the fault says what to do", async () => {
    await expect(counted(join(MODELS, "onnx/ort_superres.onnx"))).rejects.toMatchObject({
      message: expect.stringMatching(/^The multiply-adds of ort_superres\.onnx are not known.*does not load/) as string, next: expect.stringMatching(/budget in parameters/) as string,
    });
  });
});
