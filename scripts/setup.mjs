import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const OLDEST_NODE = 20;
if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE) {
  console.error(`RankLens is built with Node ${OLDEST_NODE} or later; this is ${process.version}.`);
  process.exit(1);
}

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Runs a program in the repository and ends this one with its exit status when it fails. */
export function must(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", shell: process.platform === "win32", ...options });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** Installs the packages of the lock file unless they stand already. */
export function installPackages() {
  if (packagesStand()) return;
  console.log("Installing packages …");
  must("npm", ["ci", "--no-audit", "--no-fund"]);
}

/** Whether npm's own record of what it installed has every package of the lock file; other platforms' are optional. */
function packagesStand() {
  const record = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(record)) return false;
  const packagesOf = (file) => JSON.parse(readFileSync(file, "utf8")).packages;
  const installed = packagesOf(record);
  const locked = Object.entries(packagesOf(join(root, "package-lock.json")));
  return locked.every(([path, { version, optional }]) => path === "" || optional || installed[path]?.version === version);
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
