import { rmSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for temporary files, which goes with the process that made it, unless that is killed. */
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
