import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readMoments } from "../../src/calibrate/momentsFile";
import { calibrateApart } from "../../src/engine/calibrateApart";
import { openSource } from "../../src/factorize/sources";
import { openModel } from "../../src/models/formats";
import { DEFAULT_OPEN_OPTIONS } from "../../src/models/model";
import { temporaryFolder } from "../engine/support/modelFiles";
import { buildPrograms, type Programs } from "../engine/support/programs";
import { convolutionModel, type ConvolutionOptions } from "../unit/factorize/support/runnable";

/** Moments as a graph that runs gives them, against numpy's own patches of the same data. */
const CONVOLUTIONS: Readonly<Record<string, ConvolutionOptions>> = {
  "strides": { opType: "Conv", channels: [3, 5], kernel: [3, 3], strides: [2, 3], bias: true },
  "asymmetric padding": { opType: "Conv", channels: [4, 3], kernel: [3, 2], pads: [1, 0, 2, 3] },
  "dilation": { opType: "Conv", channels: [2, 6], kernel: [3, 3], dilations: [3, 2], pads: [2, 2, 2, 2] },
  "groups, and all of that": { opType: "Conv", channels: [6, 8], kernel: [3, 5], groups: 2, strides: [2, 1], dilations: [1, 2], pads: [1, 4, 0, 2] },
  "one axis": { opType: "Conv", channels: [4, 6], kernel: [5], strides: [2], pads: [1, 3] },
};

let programs: Programs;
let folder: ReturnType<typeof temporaryFolder>;
beforeAll(async () => { programs = await buildPrograms(); });
afterAll(() => programs.remove());
beforeEach(() => { folder = temporaryFolder(); });
afterEach(() => folder.remove());

const python = (...args: string[]): string => execFileSync("/usr/bin/python3", args, { encoding: "utf8" });

describe("what a convolution is applied to", () => {
  it.each(Object.entries(CONVOLUTIONS))("with %s has numpy's second moments, and outputs of numpy's singular values", async (_, convolution) => {
    const { path, shape } = convolutionModel(convolution);
    const data = join(folder.path, "d.npz");
    // More samples than are run together.
    python("-c", `import numpy, sys; r = numpy.random.RandomState(7); numpy.savez(sys.argv[1], x=(r.standard_normal((37, *${JSON.stringify(shape.slice(1))})) * r.random(${shape[1]!}).reshape(-1, *${JSON.stringify(shape.slice(2).map(() => 1))})).astype('f4'))`, data);
    const expected = JSON.parse(python(join(import.meta.dirname, "calibration.py"), path, data)) as { moment: number[]; count: number; values: number[] }[];
    const options = { ...DEFAULT_OPEN_OPTIONS, smallestTensor: 1 };
    const model = await openModel(path, options);
    const source = await openSource(model, options, "factored");
    const calibration = await calibrateApart({ model, source, options, as: "factored", scheme: "channel", data, isWanted: () => true, threads: 2 }, programs.verify, new AbortController().signal, () => undefined);
    expect(calibration.facts).toMatchObject({ file: "d.npz", samples: 37 });
    const moments = await readMoments(calibration.moments.get("conv.weight")!);
    expect(moments).toHaveLength(expected.length);
    for (const [group, { moment, count, values }] of expected.entries()) {
      expect(moments[group]!.count).toBe(count);
      moments[group]!.mean.forEach((value, at) => expect(value).toBeCloseTo(moment[at]!, 10));
      calibration.outputs.get("conv.weight")!.spectra[group]!.forEach((value, index) => expect(value).toBeCloseTo(values[index]!, 9));
    }
    await Promise.all([calibration.discard(), source.close(), model.close()]);
  });
});
