import { createHash } from "node:crypto";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { OpenOptions } from "../models/model";
import { Journal } from "./journal";

/** Changes whenever a measure, a matrix view or the journal's form changes: older results are then forgotten. */
const RESULTS_VERSION = 1;
const ENDING = ".journal";
export const DEFAULT_CACHE_MEGABYTES = 256;

/**
 * Results by content.
 *
 * The rule: a model's results are found by the SHA-256 of (1) its fingerprint, which covers the name, size and
 * modification time of each of its files and hashes of their headers and of samples of their bodies
 * (`models/fingerprint.ts`), and (2) the options that decide which rows it has. So a file that is written again
 * is analyzed again, a renamed folder is not, and an edit that keeps size and time and misses all samples is
 * not seen; "forget" is for that. Results lie in `FOLDER/vN/KEY.journal`, N the version of what is computed.
 * The folder is kept under its bound: the journals that were not used for longest go first.
 */
export class ResultsCache {
  private readonly versioned: string;

  constructor(private readonly folder: string, private readonly maximumBytes: number) {
    this.versioned = join(folder, `v${RESULTS_VERSION}`);
  }

  /** The journal of a model; it may not exist yet, its folder does. */
  async journal(fingerprint: string, options: OpenOptions): Promise<Journal> {
    await mkdir(this.versioned, { recursive: true });
    const key = createHash("sha256")
      .update(JSON.stringify([fingerprint, options.smallestTensor, options.allowExternalDataOutside]))
      .digest("hex");
    return new Journal(join(this.versioned, key + ENDING));
  }

  async forget(journal: Journal): Promise<void> {
    await rm(journal.path, { force: true });
  }

  async forgetAll(): Promise<void> {
    await Promise.all((await this.journals()).map(({ path }) => rm(path, { force: true })));
  }

  /** Removes results of other versions, and journals beyond the bound, except the one in use. */
  async trim(inUse: Journal): Promise<void> {
    const names = await readdir(this.folder).catch(() => []);
    const outdated = names.filter((name) => /^v\d+$/.test(name) && name !== `v${RESULTS_VERSION}`);
    await Promise.all(outdated.map((name) => rm(join(this.folder, name), { recursive: true, force: true })));
    const journals = (await this.journals()).sort((a, b) => a.usedMs - b.usedMs);
    let total = journals.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { path, bytes } of journals) {
      if (total <= this.maximumBytes) return;
      if (path === inUse.path) continue;
      await rm(path, { force: true });
      total -= bytes;
    }
  }

  private async journals(): Promise<{ path: string; bytes: number; usedMs: number }[]> {
    const names = (await readdir(this.versioned).catch(() => [])).filter((name) => name.endsWith(ENDING));
    const found = await Promise.all(
      names.map(async (name) => {
        const path = join(this.versioned, name);
        // Another process may remove it between the two calls.
        const entry = await stat(path).catch(() => null);
        return entry === null ? [] : [{ path, bytes: entry.size, usedMs: entry.mtimeMs }];
      }),
    );
    return found.flat();
  }
}
