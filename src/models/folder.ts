import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { Fault } from "../shared/fault";
import { modelOfFolder, STANDING_FILES } from "../shared/modelFolder";
import { clipped } from "./clipped";

/** Folders inside of one that holds no model are looked into, to name those that do; of more, only the first. */
const MOST_SUBFOLDERS = 64;
const MOST_NAMED = 4;

/**
 * The file to open for a path: the path itself, or where it is a folder the file that stands for it.
 * @param isModel whether a name is that of a model file
 * @throws Fault is-a-folder when nothing or several things fit; no-permission, unreadable
 */
export async function fileFor(path: string, isModel: (name: string) => boolean): Promise<string> {
  // What cannot be looked at is told by whoever opens it.
  if (!(await stat(path).then((found) => found.isDirectory(), () => false))) return path;
  const entries = await entriesOf(path);
  const model = modelOfFolder(filesOf(entries), isModel);
  if (model.found === "one") return join(path, model.name);
  const name = clipped(basename(resolve(path)));
  if (model.found === "several") throw new Fault("is-a-folder", `${name} holds several models: ${listed(model.names)}.`, "Open one of them.");
  const inside = await foldersWithModels(path, entries, isModel);
  throw new Fault("is-a-folder", `${name} holds no model that RankLens reads.`, inside.length > 0
    ? `Open one of the folders in it: ${listed(inside)}.`
    : `A folder is a model when it has a file like ${STANDING_FILES.slice(1, 3).join(" or ")}, or a single model file.`);
}

async function foldersWithModels(path: string, entries: readonly Dirent[], isModel: (name: string) => boolean): Promise<string[]> {
  const inside = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name).sort().slice(0, MOST_SUBFOLDERS);
  const found = await Promise.all(inside.map(async (name) => {
    const names = await entriesOf(join(path, name)).then(filesOf, () => []);
    return modelOfFolder(names, isModel).found === "none" ? [] : [name];
  }));
  return found.flat();
}

async function entriesOf(path: string): Promise<Dirent[]> {
  return readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    const name = clipped(basename(resolve(path)));
    if (code === "EACCES" || code === "EPERM") throw new Fault("no-permission", `The folder ${name} may not be read by this user.`, "Change its permissions.");
    throw new Fault("unreadable", `The folder ${name} could not be read: ${code ?? String(error)}.`, "Check the disk or the connection and try again.");
  });
}

/** Links too: download caches keep every file as one. */
function filesOf(entries: readonly Dirent[]): string[] {
  return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name).sort();
}

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMED;
  return `${names.slice(0, MOST_NAMED).map((name) => clipped(name)).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
