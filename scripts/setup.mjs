import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Runs a program in the repository and ends this one with its exit status when it fails. */
export function must(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", shell: process.platform === "win32", ...options });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** Installs the packages of the lock file unless they stand already. */
export function installPackages() {
  const stamp = join(root, "node_modules", ".ranklens-lock");
  const lock = createHash("sha256").update(readFileSync(join(root, "package-lock.json"))).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  console.log("Installing packages …");
  // The package's install step would download CUDA libraries that RankLens never uses.
  must("npm", ["ci", "--no-audit", "--no-fund"], { env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" } });
  writeFileSync(stamp, lock);
}

/** First of the named programs that the PATH holds, or undefined. */
export function which(...names) {
  const finder = process.platform === "win32" ? "where" : "which";
  for (const name of names) {
    const { status, stdout } = spawnSync(finder, [name], { encoding: "utf8" });
    if (status === 0) return stdout.split(/\r?\n/)[0];
  }
  return undefined;
}
