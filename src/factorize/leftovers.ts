import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { readRecord, RECORD, rollBack } from "./commit";
import { isRunning } from "./running";

/** The name of a file or folder while the process of that id writes it, as one of several, of which two may have one name in two folders. */
export function partialName(path: string, number: number, pid: number): string {
  return `.${basename(path)}.${number}.${pid}.partial`;
}

const LEFT = /^\.(.+)\.\d+\.(\d+)\.(?:partial|replaced)$/;

/**
 * What processes that were killed, or ended with the machine, have left in a folder: names that some of several files had got are
 * taken back, and what is half-written under this name is removed.
 */
export async function removeAbandoned(folder: string, path: string): Promise<void> {
  await removeLeft(folder, (pid) => !isRunning(pid), (name) => name === basename(path));
}

/** The same for one process that is gone, under all names. */
export async function removeLeftBy(folder: string, pid: number | undefined): Promise<void> {
  await removeLeft(folder, (other) => other === pid, () => true);
}

async function removeLeft(folder: string, isGone: (pid: number) => boolean, isWanted: (name: string) => boolean): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const [, pid] = RECORD.exec(name) ?? [];
    if (pid === undefined || !isGone(Number(pid))) continue;
    const record = readRecord(join(folder, name));
    // A disk that several machines write to: the processes of another have numbers of their own.
    if (record === "of another machine") continue;
    try {
      rollBack(folder, name, record);
    } catch {
      // What may not be removed now is tried again by the next run.
    }
  }
  await Promise.all(names.map(async (name) => {
    const [, of = "", pid] = LEFT.exec(name) ?? [];
    if (pid !== undefined && isWanted(of) && isGone(Number(pid))) await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined);
  }));
}
