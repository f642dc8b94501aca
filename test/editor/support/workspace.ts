import { copyFileSync, mkdirSync, readdirSync, rmSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noise, writeModel } from "../../engine/support/modelFiles";
import { root } from "./package";

/** Where the journey's VS Code and the folder that it opens live; goes away with `remove`. */
export interface Place {
  readonly folder: string;
  readonly userData: string;
  readonly extensions: string;
  remove(): void;
}

export function makePlace(): Place {
  const home = mkdtempSync(join(tmpdir(), "ranklens-editor-"));
  const folder = join(home, "workspace");
  mkdirSync(folder);
  return { folder, userData: join(home, "user-data"), extensions: join(home, "extensions"), remove: () => rmSync(home, { recursive: true, force: true }) };
}

/** The sample workspace, as `npm start` shows it. */
export function copySamples(folder: string): void {
  const samples = join(root, "test", "models", "workspace");
  for (const name of readdirSync(samples)) copyFileSync(join(samples, name), join(folder, name));
}

/** Enough work that a person can cancel it, or a process die, in the middle: `count` matrices of `size` × `size`. */
export function writeLongModel(folder: string, name: string, count: number, size: number): void {
  writeModel(folder, name, Object.fromEntries(Array.from({ length: count }, (_, i) => [`blocks.${i}.weight`, noise(i + 1, size, size)])));
}
