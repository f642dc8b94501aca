import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { Fault } from "../../shared/fault";
import type { Translate } from "../translate";
import type { WrittenFile } from "./runHistory";

/** Names in the folder of an output, before anything is written there. */
export async function namesBeside(output: string): Promise<ReadonlySet<string>> {
  return new Set(await readdir(dirname(output)).catch(() => []));
}

/**
 * What a run wrote and may delete again: the model, its data and its plan, and a loader that was not there before.
 * @param before names in the folder before it wrote
 */
export async function writtenFiles(paths: readonly string[], output: string, before: ReadonlySet<string>): Promise<WrittenFile[]> {
  const own = paths.filter((path) => path.startsWith(output) || !before.has(basename(path)));
  return Promise.all(own.map(async (path) => {
    const { size, mtimeMs } = await stat(path);
    return { path, size, mtimeMs };
  }));
}

/**
 * Deletes what a run wrote, and nothing that was changed since.
 * @throws Fault when a file is not as it was written; then all of them stay
 */
export async function deleteWritten(files: readonly WrittenFile[], t: Translate): Promise<void> {
  const there: string[] = [];
  for (const { path, size, mtimeMs } of files) {
    const now = await stat(path).catch(() => null);
    if (now === null) continue;
    if (now.size !== size || now.mtimeMs !== mtimeMs) {
      throw new Fault("usage", t("{0} was changed after RankLens wrote it: nothing was deleted.", basename(path)), t("Delete it by hand if it is not needed."));
    }
    there.push(path);
  }
  for (const path of there) await rm(path, { force: true });
}
