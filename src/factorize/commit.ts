import { closeSync, fsyncSync, lstatSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, isAbsolute, join, relative, sep } from "node:path";

/**
 * Several files get their names, all or none of them. A file system renames one thing at a time, so a record of what is about
 * to be renamed lies beside the files meanwhile: while it is there the names can be taken back and older files be put back
 * (`rollBack`), by whoever finds it after a kill. Removing the record is what makes the names final. All of it is synchronous:
 * nothing that the event loop runs, as the end of a process that lost its parent, comes in between.
 */

/** A file or a folder that is complete under its temporary name. */
export interface Naming {
  readonly path: string;
  readonly temporary: string;
}

/** Name of a record: the process that writes it is in it. */
export const RECORD = /^\.ranklens\.(\d+)\.commit$/;

/** Paths are relative to the record's folder; `mark` tells what has got the name from what else may have it by now. */
interface Entry extends Naming {
  readonly mark: string;
}

/** Naming failed: what, and the system's reason; nothing has changed. */
export class NotNamed extends Error {
  constructor(readonly path: string, readonly reason: unknown) {
    super(`${path} was not named`);
  }
}

/**
 * @param namings the one by which a model is opened comes last: it is the last to have its name, and an older one of its name is
 *   the first to go, so that no mixture of two models is ever seen
 * @throws NotNamed
 */
export function giveNames(namings: readonly Naming[], pid: number): void {
  for (const folder of new Set(namings.flatMap(({ temporary }) => [dirname(temporary)]))) syncFolder(folder);
  const [main] = namings.slice(-1);
  if (main === undefined) return;
  if (namings.length === 1 && markOf(main.path) === null) return attempt(main.path, () => { renamePatiently(main.temporary, main.path); syncFolder(dirname(main.path)); });
  const folder = dirname(main.path), name = `.ranklens.${pid}.commit`;
  const inside = (path: string): string => relative(folder, path).split(sep).join("/");
  const entries = namings.map(({ path, temporary }): Entry => ({ path: inside(path), temporary: inside(temporary), mark: markOf(temporary) ?? "" }));
  try {
    attempt(main.path, () => { writeThrough(join(folder, name), JSON.stringify({ host: hostname(), entries })); syncFolder(folder); });
    for (const { path, temporary } of [...namings].reverse()) if (markOf(path) !== null) attempt(path, () => renamePatiently(path, replacedName(temporary)));
    for (const { path, temporary } of namings) attempt(path, () => renamePatiently(temporary, path));
    for (const each of new Set(namings.map(({ path }) => dirname(path)))) syncFolder(each);
    attempt(main.path, () => rmSync(join(folder, name)));
  } catch (error) {
    try {
      rollBack(folder, name, entries);
    } catch {
      // The record stays: the next run in the folder takes the names back.
    }
    throw error;
  }
  syncFolder(folder);
  for (const { temporary } of namings) rmSync(replacedName(temporary), { recursive: true, force: true });
}

/** Takes back the names of a record, puts older files back, and removes the record last: it may be cut off, and done again. */
export function rollBack(folder: string, name: string, entries: readonly Entry[]): void {
  const all = entries.map(({ path, temporary, mark }) => ({ path: join(folder, path), temporary: join(folder, temporary), mark }));
  for (const { path, temporary, mark } of [...all].reverse()) {
    if (markOf(temporary) === null && markOf(path) === mark) rmSync(path, { recursive: true, force: true });
  }
  for (const { path, temporary } of all) {
    const replaced = replacedName(temporary);
    if (markOf(replaced) !== null && markOf(path) === null) renamePatiently(replaced, path);
    for (const left of [temporary, replaced]) rmSync(left, { recursive: true, force: true });
  }
  rmSync(join(folder, name), { force: true });
  syncFolder(folder);
}

/** What a record says; nothing where it was cut off, which was before the first name. */
export function readRecord(path: string): readonly Entry[] | "of another machine" {
  let record: { host?: unknown; entries?: unknown } | null;
  try {
    record = JSON.parse(readFileSync(path, "utf8")) as typeof record;
  } catch {
    return [];
  }
  if (record?.host !== hostname()) return "of another machine";
  const entries: unknown[] = Array.isArray(record.entries) ? record.entries : [];
  return entries.filter((entry) => isEntry(entry));
}

function isEntry(entry: unknown): entry is Entry {
  const { path, temporary, mark } = (entry ?? {}) as Record<string, unknown>;
  return [path, temporary].every((each) => typeof each === "string" && !isAbsolute(each) && !each.split(/[/\\]/).includes("..")) && typeof mark === "string" && mark !== "";
}

function replacedName(temporary: string): string {
  return temporary.replace(/partial$/, "replaced");
}

/** Tells a file or folder from others that had its name; null where there is none. A rename keeps it. */
function markOf(path: string): string | null {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : `${found.isDirectory() ? "folder" : found.size} ${found.mtimeNs}`;
}

function writeThrough(path: string, text: string): void {
  const file = openSync(path, "w");
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** So that a name outlives the machine's going off. Windows has no such call for folders, and some file systems refuse it. */
function syncFolder(path: string): void {
  try {
    const folder = openSync(path, "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // The name is right, if not yet on the disk.
  }
}

/** On Windows a scanner or an indexer may have a new file open for a moment. */
const RENAMES = 20, PAUSE_MS = 50;

function renamePatiently(from: string, to: string): void {
  for (let left = process.platform === "win32" ? RENAMES : 1; ; left--) {
    try {
      return renameSync(from, to);
    } catch (error) {
      if (left <= 1 || !["EPERM", "EACCES", "EBUSY"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
}

function attempt(path: string, step: () => void): void {
  try {
    step();
  } catch (error) {
    throw new NotNamed(path, error);
  }
}
