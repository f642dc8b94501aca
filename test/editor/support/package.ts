import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..", "..", "..");

/** The package of this platform, made when it is missing; `npm test` makes it anew before any layer runs. */
export function packagedExtension(): string {
  const vsix = join(root, `ranklens-${process.platform}-${process.arch}.vsix`);
  if (!existsSync(vsix)) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "scripts", "package.mjs")], { cwd: root, encoding: "utf8" });
    if (status !== 0) throw new Error(`The package could not be made:\n${stdout}${stderr}`);
  }
  return vsix;
}
