import { open, type FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { Fault } from "../shared/fault";

/** Largest single read: keeps one positioned read cancellable and below Node's 2 GiB limit. */
const CHUNK = 64 * 1024 * 1024;

/**
 * A file opened for positioned reads. Its size and mtime are those at opening; a read that finds the
 * file changed or shorter fails instead of returning wrong bytes.
 */
export class FileBytes {
  private constructor(
    readonly path: string,
    readonly size: number,
    readonly mtimeMs: number,
    private readonly handle: FileHandle,
  ) {}

  /** @throws Fault not-found, no-permission, is-a-folder, empty, unreadable */
  static async open(path: string): Promise<FileBytes> {
    let handle: FileHandle;
    try {
      handle = await open(path, "r");
    } catch (error) {
      throw openFault(path, error);
    }
    try {
      const stat = await handle.stat();
      if (stat.isDirectory()) throw new Fault("is-a-folder", `${basename(path)} is a folder, not a model file.`, "Choose a file inside it.");
      if (!stat.isFile()) throw new Fault("unreadable", `${basename(path)} is not a regular file.`, "Copy it to a regular file first.");
      if (stat.size === 0) throw new Fault("empty", `${basename(path)} is empty (0 bytes).`, "Fetch or export the file again.");
      return new FileBytes(path, stat.size, stat.mtimeMs, handle);
    } catch (error) {
      await handle.close();
      throw error instanceof Fault ? error : openFault(path, error);
    }
  }

  /** What `use` makes of a file, which it keeps; a file that it cannot use is closed. @throws Fault of `open`, and what `use` throws */
  static async openFor<T>(path: string, use: (file: FileBytes) => Promise<T>): Promise<T> {
    const file = await FileBytes.open(path);
    try {
      return await use(file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * Bytes [offset, offset + length).
   * @throws Fault truncated when the range passes the end, changed-while-read when the file shrank
   */
  async read(offset: number, length: number): Promise<Uint8Array> {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0 || offset + length > this.size) {
      throw new Fault(
        "truncated",
        `${basename(this.path)} ends at byte ${this.size}, but bytes ${offset} to ${offset + length} were expected.`,
        "The file is cut off or damaged: fetch it again.",
      );
    }
    const bytes = allocate(length, this.path);
    for (let done = 0; done < length;) {
      const { bytesRead } = await this.handle.read(bytes, done, Math.min(CHUNK, length - done), offset + done).catch((error: unknown) => {
        throw new Fault("unreadable", `${basename(this.path)} could not be read at byte ${offset + done}: ${reason(error)}.`, "Check the disk or the connection and try again.");
      });
      if (bytesRead === 0) throw this.changed();
      done += bytesRead;
    }
    return bytes;
  }

  /** @throws Fault changed-while-read when size or mtime differ from those at opening */
  async assertUnchanged(): Promise<void> {
    const stat = await this.handle.stat();
    if (stat.size !== this.size || stat.mtimeMs !== this.mtimeMs) throw this.changed();
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private changed(): Fault {
    return new Fault("changed-while-read", `${basename(this.path)} changed while it was being read.`, "Wait until it is written completely, then analyze it again.");
  }
}

function allocate(length: number, path: string): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch {
    throw new Fault("out-of-memory", `A tensor of ${basename(path)} needs ${length} bytes, more than can be had.`, "Close other programs or use a machine with more memory.");
  }
}

function openFault(path: string, error: unknown): Fault {
  const name = basename(path);
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT": return new Fault("not-found", `${name} does not exist in ${path.slice(0, -name.length) || "this folder"}.`, "Check the path.");
    case "EACCES": case "EPERM": return new Fault("no-permission", `${name} may not be read by this user.`, "Change the file's permissions.");
    case "EISDIR": return new Fault("is-a-folder", `${name} is a folder, not a model file.`, "Choose a file inside it.");
    default: return new Fault("unreadable", `${name} could not be opened: ${reason(error)}.`, "Check the disk or the connection and try again.");
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
