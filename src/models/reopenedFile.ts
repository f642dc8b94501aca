import { basename } from "node:path";
import { Fault } from "../shared/fault";
import { FileBytes } from "./fileBytes";

/** What readers of a format need of a file. */
export type ReadableFile = Pick<FileBytes, "path" | "size" | "read">;

/**
 * A file that is open only while it is worked with: a checkpoint may have more shards than a process may hold open. It stays
 * the file that it was when it was first opened; a changed one is a fault.
 */
export class ReopenedFile implements ReadableFile {
  /** Open while anything works with it. */
  private held: Promise<FileBytes> | null = null;
  private users = 0;

  private constructor(readonly path: string, readonly size: number, private readonly mtimeMs: number) {}

  /** Opens a file for `work`, and closes it. @throws Fault of `FileBytes.open` and of `work` */
  static async opened<T>(path: string, work: (file: ReopenedFile) => Promise<T>): Promise<T> {
    const first = await FileBytes.open(path);
    const file = new ReopenedFile(path, first.size, first.mtimeMs);
    file.held = Promise.resolve(first);
    return file.whileOpen(() => work(file));
  }

  /**
   * Opens the file again for `work`, unless it is open for other work.
   * @throws Fault changed-while-read, and those of `FileBytes.open` and of `work`
   */
  async whileOpen<T>(work: () => Promise<T>): Promise<T> {
    this.users++;
    this.held ??= FileBytes.open(this.path);
    const { held } = this;
    try {
      const file = await held;
      if (file.size !== this.size || file.mtimeMs !== this.mtimeMs) {
        throw new Fault("changed-while-read", `${basename(this.path)} changed after the model was opened.`, "Wait until it is written completely, then analyze it again.");
      }
      const result = await work();
      await file.assertUnchanged();
      return result;
    } finally {
      if (--this.users === 0) {
        this.held = null;
        await held.then((file) => file.close(), () => undefined);
      }
    }
  }

  /** Of the file while it is open. @throws Fault truncated, unreadable, changed-while-read */
  async read(offset: number, length: number): Promise<Uint8Array> {
    if (this.held === null) throw new Error(`${basename(this.path)} is read while it is closed`);
    return (await this.held).read(offset, length);
  }
}
