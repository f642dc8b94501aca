import { basename, join } from "node:path";
import { Fault } from "../shared/fault";
import { perPosition, perRun, type ActivationProbe, type MultiplyAdds } from "../factorize/multiplyAdds";
import type { Source } from "../factorize/source";
import { shapesApart } from "../verify/fork";
import type { Shapes } from "../verify/verification";
import { writeExposing } from "./exposedCopy";
import { inTemporaryFolder } from "./temporaryFolder";

/** A larger graph is copied and run for its multiply-adds only when they are asked for: that takes its size again on the disk. Bytes. */
export const MOST_RUN_UNASKED = 512 * 2 ** 20;

/**
 * The multiply-adds of a model's layers. A graph is run once in ONNX Runtime, on seeded inputs, in a copy that gives out the
 * values between its nodes: whatever its operators do, the sizes are those that really occur.
 * @param path of the model
 * @param verifyScript absolute path of the built `dist/verify.js`
 * @throws Fault when the model does not run so, Cancelled
 */
export async function multiplyAddsApart(source: Pick<Source, "targets" | "activations" | "tiedHead">, path: string, verifyScript: string, signal: AbortSignal): Promise<MultiplyAdds> {
  const probe = source.activations;
  if (probe === undefined) return perPosition(source);
  try {
    const { inputs, outputs, runs } = await observedShapes(probe, path, verifyScript, signal);
    const words = [...inputs].map(([name, shape]) => `${name} [${shape.join(", ")}]`).join(", ");
    return perRun(probe, { shapes: new Map([...inputs, ...outputs]), runs }, `one run on ${words || "no inputs"}`);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault(error.code, `The multiply-adds of ${basename(path)} are not known, as its activations have no known sizes. ${error.message}`, "Give a budget in parameters or bytes.");
  }
}

/** The shapes of a graph's inputs and of the probe's values in one run. @throws Fault when the model does not run so, Cancelled */
export async function observedShapes(probe: ActivationProbe, path: string, verifyScript: string, signal: AbortSignal): Promise<Shapes> {
  return inTemporaryFolder("sizes", async (folder) => {
    const copy = join(folder, basename(path));
    await writeExposing(probe, probe.values, copy);
    return shapesApart(verifyScript, copy, probe.nodes, signal);
  });
}
