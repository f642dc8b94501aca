import { rmSync } from "node:fs";
import { copyFile, link, mkdir, mkdtemp, open, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve, sep } from "node:path";
import { Cancelled, Fault } from "../shared/fault";
import { perPosition, perRun, type ActivationProbe, type MultiplyAdds } from "../factorize/multiplyAdds";
import type { Source } from "../factorize/source";
import { shapesApart } from "../verify/fork";
import type { Shapes } from "../verify/verification";

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
  const folder = await realpath(await mkdtemp(join(tmpdir(), "ranklens-sizes-")));
  // Where the process ends meanwhile, nothing asynchronous is done any more.
  const removeNow = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", removeNow);
  try {
    const copy = join(folder, basename(path));
    await writeCopy(probe, copy).catch((error: unknown) => { throw notCopied(error); });
    return await shapesApart(verifyScript, copy, probe.nodes, signal);
  } finally {
    process.off("exit", removeNow);
    await rm(folder, { recursive: true, force: true });
  }
}

function notCopied(error: unknown): unknown {
  if (error instanceof Fault || error instanceof Cancelled) return error;
  return new Fault("not-written", `A copy of it could not be written to the folder for temporary files: ${error instanceof Error ? error.message : String(error)}.`);
}

async function writeCopy(probe: ActivationProbe, path: string): Promise<void> {
  const file = await open(path, "wx");
  try {
    await probe.write(async (bytes) => { await file.writeFile(bytes); });
  } finally {
    await file.close();
  }
  // ONNX Runtime refuses external data that a symbolic link leads to.
  for (const { location, path: from } of await probe.data()) {
    const to = resolve(dirname(path), location);
    if (!to.startsWith(dirname(path) + sep)) throw new Fault("external-data-refused", `${location} lies outside of the model's folder.`);
    await mkdir(dirname(to), { recursive: true });
    await link(from, to).catch(() => copyFile(from, to));
  }
}
