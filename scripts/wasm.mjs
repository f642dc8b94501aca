// Compiles the numeric kernels (AssemblyScript, src/linalg/fast/wasm) to one WebAssembly module.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const sources = "src/linalg/fast/wasm";
/** Where programs that run from sources find the module; git-ignored. */
export const workFolder = join(root, ".wasm");

/** Writes FOLDER/kernels.wasm. asc checks the types of its sources itself. */
export function compileKernels(folder) {
  const asc = join(root, "node_modules", "assemblyscript", "bin", "asc.js");
  const options = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--enable", "bulk-memory", "--maximumMemory", "65536"];
  const { status, stderr, error } = spawnSync(process.execPath, [asc, `${sources}/index.ts`, ...options, "--outFile", join(folder, "kernels.wasm")], { cwd: root, encoding: "utf8" });
  if (error) throw error;
  if (status !== 0) throw new Error(`The WebAssembly kernels do not compile:\n${stderr}`);
}

/** Compiles to the work folder unless what is there is newer than every source. */
export function compileKernelsIfStale() {
  const target = join(workFolder, "kernels.wasm");
  const compiled = existsSync(target) ? statSync(target).mtimeMs : 0;
  const newest = Math.max(...readdirSync(join(root, sources)).map((name) => statSync(join(root, sources, name)).mtimeMs));
  if (newest >= compiled) compileKernels(workFolder);
}
