import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

const folders: string[] = [];
afterAll(() => { for (const made of folders) rmSync(made, { recursive: true }); });

/** A new folder, gone after the tests of the file. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "ranklens-"));
  folders.push(made);
  return made;
}

/** Writes a file to a folder of its own, and returns its path. */
export function written(content: Uint8Array, name: string): string {
  const path = join(folder(), name);
  writeFileSync(path, content);
  return path;
}
