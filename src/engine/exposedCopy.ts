import { copyFile, link, mkdir, open } from "node:fs/promises";
import { basename, dirname, resolve, sep } from "node:path";
import { Cancelled, Fault } from "../shared/fault";
import type { ActivationProbe } from "../factorize/multiplyAdds";

/** A copy of a model that gives out values between its nodes, with what it keeps outside. @throws Fault */
export async function writeExposing(probe: ActivationProbe, values: readonly string[], path: string): Promise<void> {
  try {
    const file = await open(path, "wx");
    try {
      await probe.write(values, async (bytes) => { await file.writeFile(bytes); });
    } finally {
      await file.close();
    }
    await linkData(probe, path);
  } catch (error) {
    if (error instanceof Fault || error instanceof Cancelled) throw error;
    throw new Fault("not-written", `A copy of ${basename(path)} could not be written to the folder for temporary files: ${error instanceof Error ? error.message : String(error)}.`, "Make room in that folder, or set TMPDIR (TEMP on Windows) to another one.");
  }
}

async function linkData(probe: ActivationProbe, path: string): Promise<void> {
  // ONNX Runtime refuses external data that a symbolic link leads to.
  for (const { location, path: from } of await probe.data()) {
    const to = resolve(dirname(path), location);
    if (!to.startsWith(dirname(path) + sep)) throw new Fault("external-data-refused", `${location}, which ${basename(path)} refers to, lies outside of the model's folder.`, "Move it beside the model, and save the model again.");
    await mkdir(dirname(to), { recursive: true });
    await link(from, to).catch(() => copyFile(from, to));
  }
}
