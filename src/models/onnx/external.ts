import { realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, relative, resolve, sep, win32 } from "node:path";
import { Fault } from "../../shared/fault";

/** A file beside the model that holds tensors, as it was when the model was opened. */
export interface ExternalFile {
  /** With symbolic links resolved: what was checked is what is read. */
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/**
 * Finds external data (ONNX, "External Data Format"): a path relative to the model's folder. A model file is
 * untrusted, so a path that leaves the folder, directly or by a symbolic link, is refused unless allowed.
 */
export class ExternalData {
  private readonly known = new Map<string, ExternalFile | string>();

  constructor(private readonly modelPath: string, private readonly allowOutside: boolean) {}

  /** All files found so far, each once. */
  get files(): ExternalFile[] {
    const byPath = new Map<string, ExternalFile>();
    for (const found of this.known.values()) if (typeof found !== "string") byPath.set(found.path, found);
    return [...byPath.values()];
  }

  /** Why some were not found, each once. */
  get problems(): string[] {
    return [...new Set([...this.known.values()].filter((found) => typeof found === "string"))];
  }

  /**
   * The file at `location`, or the reason why it cannot be read.
   * @throws Fault external-data-refused when it lies outside the model's folder
   */
  async find(location: string): Promise<ExternalFile | string> {
    let found = this.known.get(location);
    if (found === undefined) {
      found = await this.look(location);
      this.known.set(location, found);
    }
    return found;
  }

  private async look(location: string): Promise<ExternalFile | string> {
    if (location === "" || location.includes("\0")) return "its external data names no file";
    const outside = isAbsolute(location) || win32.isAbsolute(location) || location.split(/[\\/]/).includes("..");
    if (outside && !this.allowOutside) throw this.refused(location);
    try {
      const folder = await realpath(dirname(this.modelPath));
      const path = await realpath(resolve(folder, location));
      if (!this.allowOutside && !isInside(folder, path)) throw this.refused(location);
      const { size, mtimeMs, isFile } = await stat(path).then((found) => ({ size: found.size, mtimeMs: found.mtimeMs, isFile: found.isFile() }));
      return isFile ? { path, size, mtimeMs } : `external data file ${location} is not a regular file`;
    } catch (error) {
      if (error instanceof Fault) throw error;
      return `external data file ${location} ${whyNot(error)}`;
    }
  }

  private refused(location: string): Fault {
    return new Fault(
      "external-data-refused",
      `${basename(this.modelPath)} keeps tensors in "${location}", outside its own folder, which RankLens does not read.`,
      "Move that file into the model's folder, or allow external data outside it in the settings.",
    );
  }
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function whyNot(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT": case "ENOTDIR": return "is missing";
    case "EACCES": case "EPERM": return "may not be read by this user";
    case "ELOOP": return "is a symbolic link to itself";
    case "ENAMETOOLONG": return "has too long a name";
    default: return "could not be opened";
  }
}
