import { constants, rmSync, type BigIntStats } from "node:fs";
import { access, lstat, mkdir, open, rm, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { Cancelled, Fault } from "../shared/fault";
import { giveNames, NotNamed, type Naming } from "./commit";
import { partialName, removeAbandoned } from "./leftovers";

/** What a file is written through: each piece in turn. */
export type Write = (bytes: Uint8Array) => Promise<void>;

/**
 * Files that appear together or not at all: each is written to a temporary name in its folder and flushed to the disk, and all
 * get their names once they are complete. Those of a new folder are written into one with a temporary name, which is renamed
 * as a whole. Whatever goes wrong before leaves nothing behind.
 */
export class AtomicFiles {
  private readonly pending: Naming[] = [];
  private readonly written: string[] = [];
  private readonly newFolders = new Set<string>();

  constructor(private readonly signal?: AbortSignal) {}

  /** A folder for some of the files, which appears with them where it is not there. */
  makeFolder(path: string): void {
    this.newFolders.add(path);
  }

  /**
   * @returns the temporary name, under which it can be read until `commit`
   * @throws Fault not-written, Cancelled; the caller then calls `discard`
   */
  async write(path: string, body: (write: Write) => Promise<void>): Promise<string> {
    let handle: FileHandle, temporary: string;
    try {
      temporary = await this.placeFor(path);
      handle = await open(temporary, "wx");
    } catch (error) {
      throw notWritten(path, error);
    }
    this.written.push(path);
    try {
      await body((bytes) => this.writeAll(handle, bytes, path));
      await handle.sync().catch((error: unknown) => { throw notWritten(path, error); });
    } finally {
      await handle.close();
    }
    return temporary;
  }

  /**
   * Gives all files their names, or none of them.
   * @param main the file by which a model is opened: it gets its name last, so that no half of a model is ever seen
   * @returns their paths, the main one first
   */
  async commit(main = this.written[0]): Promise<string[]> {
    if (this.signal?.aborted === true) throw new Cancelled();
    for (const { path } of this.pending) await assertNaming(path, this.newFolders.has(path));
    const isMain = ({ path }: Naming): boolean => main === path || main?.startsWith(join(path, "/")) === true;
    try {
      giveNames([...this.pending].sort((a, b) => Number(isMain(a)) - Number(isMain(b))), process.pid);
    } catch (error) {
      throw error instanceof NotNamed ? notWritten(error.path, error.reason) : error;
    }
    this.pending.length = 0;
    return [...this.written.splice(0)].sort((a, b) => Number(b === main) - Number(a === main));
  }

  async discard(): Promise<void> {
    await Promise.all(this.pending.splice(0).map(({ temporary }) => rm(temporary, { recursive: true, force: true })));
  }

  /** `discard` for a process that is about to exit. */
  discardNow(): void {
    for (const { temporary } of this.pending.splice(0)) rmSync(temporary, { recursive: true, force: true });
  }

  /** Where a file is until it has its name: in the new folder that it comes with, or beside its name. */
  private async placeFor(path: string): Promise<string> {
    const folder = await this.newFolderOf(path);
    if (folder === null) return this.pend(path);
    const stage = this.pending.find((each) => each.path === folder)?.temporary ?? await this.stageFor(folder);
    const temporary = join(stage, relative(folder, path));
    await mkdir(dirname(temporary), { recursive: true });
    return temporary;
  }

  private async stageFor(folder: string): Promise<string> {
    const stage = await this.pend(folder);
    // By itself: a recursive one says of a folder that may not be written that it is not there.
    await mkdir(stage);
    return stage;
  }

  private async pend(path: string): Promise<string> {
    await removeAbandoned(dirname(path), path);
    const temporary = join(dirname(path), partialName(path, this.pending.length, process.pid));
    this.pending.push({ path, temporary });
    return temporary;
  }

  /** The outermost of the folders around a file that are yet to be made; null where all are there. */
  private async newFolderOf(path: string): Promise<string | null> {
    let found: string | null = null;
    for (let folder = dirname(path); this.newFolders.has(folder); folder = dirname(folder)) {
      if (await stat(folder).then(() => false, () => true)) found = folder;
    }
    return found;
  }

  private async writeAll(handle: FileHandle, bytes: Uint8Array, path: string): Promise<void> {
    if (this.signal?.aborted === true) throw new Cancelled();
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await handle.write(bytes, at).catch((error: unknown) => { throw notWritten(path, error); });
      at += bytesWritten;
    }
  }
}

/**
 * Says before anything is computed that an output could not be written.
 * @param makesFolder whether its folder may be made, in one that is there
 * @throws Fault not-written where it would overwrite one of `originals`, or its folder is not there
 */
export async function assertOutput(path: string, originals: readonly string[], makesFolder = false): Promise<void> {
  const [folder, above] = await Promise.all([dirname(path), dirname(dirname(path))].map((each) => stat(each).catch(() => null)));
  const isThere = folder?.isDirectory() === true || (makesFolder && folder === null && above?.isDirectory() === true);
  if (!isThere && makesFolder) throw new Fault("not-written", `There is no folder in which ${basename(dirname(path))} could be made.`, "Create it, or choose another place.");
  if (!isThere) throw new Fault("not-written", `The folder of ${basename(path)} does not exist.`, "Create it, or choose another place.");
  await access(folder?.isDirectory() === true ? dirname(path) : dirname(dirname(path)), constants.W_OK).catch((error: unknown) => { throw notWritten(path, error); });
  await assertFree(path, originals);
}

/** @throws Fault not-written where a file would take the place of a folder, of a link, of a device, or of one of `originals` */
export async function assertFree(path: string, originals: readonly string[]): Promise<void> {
  const [own = null, ...others] = await Promise.all([path, ...originals].map(found));
  if (own !== null && others.some((other) => other?.ino === own.ino && other.dev === own.dev)) {
    throw new Fault("not-written", `${basename(path)} is the original, which RankLens never overwrites.`, "Choose another name.");
  }
  await assertNaming(path, false);
}

/** @throws Fault not-written where something is in the place of a file, or of a new folder, that does not give way to it */
async function assertNaming(path: string, isFolder: boolean): Promise<void> {
  const own = await lstat(path).catch(() => null);
  if (own === null || (own.isFile() && !isFolder)) return;
  if (isFolder) throw new Fault("not-written", `${basename(path)} is there by now, and RankLens does not write over a folder.`, "Choose another name.");
  if (own.isDirectory()) throw new Fault("not-written", `${basename(path)} is a folder.`, "Name a file in it.");
  if (own.isSymbolicLink()) throw new Fault("not-written", `${basename(path)} is a link, and what it points to is not written over.`, "Name a file, or remove the link.");
  throw new Fault("not-written", `${basename(path)} is no regular file.`, "Choose another name.");
}

/** With exact numbers: those of files are larger than a double holds on some systems. */
async function found(path: string): Promise<BigIntStats | null> {
  return stat(path, { bigint: true }).catch(() => null);
}

function notWritten(path: string, error: unknown): Fault {
  const name = basename(path);
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOSPC": case "EDQUOT": return new Fault("not-written", `There is no space left for ${name}.`, "Free some, or choose another disk; nothing was left behind.");
    case "ENOENT": return new Fault("not-written", `The folder of ${name} is gone.`, "Create it again, or choose another place.");
    case "EACCES": case "EPERM": case "EROFS": return new Fault("not-written", `${name} may not be written there by this user.`, "Choose another place.");
    case "EBUSY": case "ETXTBSY": return new Fault("not-written", `${name} is in use by another program.`, "Close it there, or choose another name.");
    case "EFBIG": return new Fault("not-written", `${name} is larger than a file may be there.`, "Choose another disk, or raise the limit; nothing was left behind.");
    case "EEXIST": return new Fault("not-written", `${name} is being written already.`, "Wait for it to end, or choose another name.");
    default: return new Fault("not-written", `${name} could not be written: ${error instanceof Error ? error.message : String(error)}.`, "Choose another place.");
  }
}
