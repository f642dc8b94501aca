// Tests run from sources: the WebAssembly kernels are compiled when their sources changed.
import { compileKernelsIfStale } from "../scripts/wasm.mjs";

export function setup() {
  compileKernelsIfStale();
}
