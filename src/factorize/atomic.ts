import { rmSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Cancelled, Fault } from "../shared/fault";
import { isRunning } from "./running";

/** What a file is written through: each piece in turn. */
export type Write = (bytes: Uint8Array) => Promise<void>;

/** A file being written beside its name, which it gets when all of them are complete. */
interface Pending {
  readonly path: string;
  readonly temporary: string;
}

/**
 * Files that appear together or not at all: each is written to a temporary name in its folder, flushed to the disk, and
 * renamed once all are complete. Whatever goes wrong before leaves nothing behind.
 */
export class AtomicFiles {
  private readonly pending: Pending[] = [];
  private readonly newFolders = new Set<string>();

  constructor(private readonly signal?: AbortSignal) {}

  /** A folder for some of the files, which is made once all are complete where it is not there; until then they are beside it. */
  makeFolder(path: string): void {
    this.newFolders.add(path);
  }

  /**
   * @returns the temporary name, under which it can be read until `commit`
   * @throws Fault not-written, Cancelled; the caller then calls `discard`
   */
  async write(path: string, body: (write: Write) => Promise<void>): Promise<string> {
    let folder = dirname(path);
    while (this.newFolders.has(folder)) folder = dirname(folder);
    const temporary = join(folder, partialName(path, this.pending.length, process.pid));
    await removeAbandoned(folder, path);
    let handle: FileHandle;
    try {
      handle = await open(temporary, "wx");
    } catch (error) {
      throw notWritten(path, error);
    }
    this.pending.push({ path, temporary });
    try {
      await body((bytes) => this.writeAll(handle, bytes, path));
      await handle.sync().catch((error: unknown) => { throw notWritten(path, error); });
    } finally {
      await handle.close();
    }
    return temporary;
  }

  /**
   * Gives all files their names. When one cannot have its own, those that have theirs go again.
   * @param main the file by which a model is opened: it gets its name last, so that no half of a model is ever seen
   * @returns their paths, the main one first
   */
  async commit(main?: string): Promise<string[]> {
    if (this.signal?.aborted === true) throw new Cancelled();
    const inOrder = [...this.pending].sort((a, b) => Number(b.path === main) - Number(a.path === main));
    const made: (() => Promise<void>)[] = [];
    for (const { path, temporary } of [...inOrder].reverse()) {
      try {
        const first = dirname(temporary) === dirname(path) ? undefined : await mkdir(dirname(path), { recursive: true });
        if (first !== undefined) made.push(() => rm(first, { recursive: true, force: true }));
        const isNew = await stat(path).then(() => false, () => true);
        await rename(temporary, path);
        if (isNew) made.push(() => rm(path, { force: true }));
      } catch (error) {
        for (const undo of made.reverse()) await undo().catch(() => undefined);
        throw notWritten(path, error);
      }
    }
    this.pending.length = 0;
    return inOrder.map(({ path }) => path);
  }

  async discard(): Promise<void> {
    await Promise.all(this.pending.splice(0).map(({ temporary }) => rm(temporary, { force: true })));
  }

  /** `discard` for a process that is about to exit. */
  discardNow(): void {
    for (const { temporary } of this.pending.splice(0)) rmSync(temporary, { force: true });
  }

  private async writeAll(handle: FileHandle, bytes: Uint8Array, path: string): Promise<void> {
    if (this.signal?.aborted === true) throw new Cancelled();
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await handle.write(bytes, at).catch((error: unknown) => { throw notWritten(path, error); });
      at += bytesWritten;
    }
  }
}

/** The name of a file while the process of that id writes it, as one of several, of which two may have one name in two folders. */
function partialName(path: string, number: number, pid: number): string {
  return `.${basename(path)}.${number}.${pid}.partial`;
}

/** Half-written files of this name whose process is gone: it was killed, or the machine went off. */
async function removeAbandoned(folder: string, path: string): Promise<void> {
  const head = `.${basename(path)}.`;
  const names = await readdir(folder).catch(() => []);
  await Promise.all(names.map(async (name) => {
    const pid = name.startsWith(head) ? /^\d+\.(\d+)\.partial$/.exec(name.slice(head.length))?.[1] : undefined;
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(folder, name), { force: true }).catch(() => undefined);
  }));
}

/** Whether a process of that id was writing a file of this name. */
export function isPartial(name: string, pid: number | undefined): boolean {
  return name.startsWith(".") && name.endsWith(`.${pid}.partial`);
}

/**
 * Says before anything is computed that an output could not be written.
 * @param makesFolder whether its folder may be made, in one that is there
 * @throws Fault not-written where it would overwrite one of `originals`, or its folder is not there
 */
export async function assertOutput(path: string, originals: readonly string[], makesFolder = false): Promise<void> {
  const [folder, above] = await Promise.all([dirname(path), dirname(dirname(path))].map((each) => stat(each).catch(() => null)));
  const isThere = folder?.isDirectory() === true || (makesFolder && folder === null && above?.isDirectory() === true);
  if (!isThere) throw new Fault("not-written", `The folder of ${basename(path)} does not exist.`, "Create it, or choose another place.");
  await assertFree(path, originals);
}

/** @throws Fault not-written where a file would take the place of a folder, or of one of `originals` */
export async function assertFree(path: string, originals: readonly string[]): Promise<void> {
  const [own, ...others] = await Promise.all([path, ...originals].map((each) => stat(each).catch(() => null)));
  if (own?.isDirectory() === true) throw new Fault("not-written", `${basename(path)} is a folder.`, "Name a file in it.");
  if (own !== null && own !== undefined && others.some((other) => other?.ino === own.ino && other.dev === own.dev)) {
    throw new Fault("not-written", `${basename(path)} is the original, which RankLens never overwrites.`, "Choose another name.");
  }
}

function notWritten(path: string, error: unknown): Fault {
  const name = basename(path);
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOSPC": case "EDQUOT": return new Fault("not-written", `There is no space left for ${name}.`, "Free some, or choose another disk; nothing was left behind.");
    case "ENOENT": return new Fault("not-written", `The folder of ${name} is gone.`, "Create it again, or choose another place.");
    case "EACCES": case "EPERM": case "EROFS": return new Fault("not-written", `${name} may not be written there by this user.`, "Choose another place.");
    case "EEXIST": return new Fault("not-written", `${name} is being written already.`, "Wait for it to end, or choose another name.");
    default: return new Fault("not-written", `${name} could not be written: ${error instanceof Error ? error.message : String(error)}.`, "Choose another place.");
  }
}
