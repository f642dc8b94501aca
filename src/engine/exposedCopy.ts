import { rmSync } from "node:fs";
import { copyFile, link, mkdir, mkdtemp, open, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve, sep } from "node:path";
import { Cancelled, Fault } from "../shared/fault";
import type { ActivationProbe } from "../factorize/multiplyAdds";

/** A folder for temporary files, which goes with whoever made it, however that ends. */
export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** @param purpose part of its name */
export async function temporaryFolder(purpose: string): Promise<TemporaryFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), `ranklens-${purpose}-`)));
  // Where the process ends meanwhile, nothing asynchronous is done any more.
  const removeNow = (): void => rmSync(path, { recursive: true, force: true });
  process.once("exit", removeNow);
  return {
    path,
    remove: async () => {
      process.off("exit", removeNow);
      await rm(path, { recursive: true, force: true });
    },
  };
}

export async function inTemporaryFolder<T>(purpose: string, work: (path: string) => Promise<T>): Promise<T> {
  const folder = await temporaryFolder(purpose);
  try {
    return await work(folder.path);
  } finally {
    await folder.remove();
  }
}

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
    throw new Fault("not-written", `A copy of it could not be written to the folder for temporary files: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

async function linkData(probe: ActivationProbe, path: string): Promise<void> {
  // ONNX Runtime refuses external data that a symbolic link leads to.
  for (const { location, path: from } of await probe.data()) {
    const to = resolve(dirname(path), location);
    if (!to.startsWith(dirname(path) + sep)) throw new Fault("external-data-refused", `${location} lies outside of the model's folder.`);
    await mkdir(dirname(to), { recursive: true });
    await link(from, to).catch(() => copyFile(from, to));
  }
}
