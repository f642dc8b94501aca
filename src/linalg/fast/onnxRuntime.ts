/**
 * The native part of onnxruntime-node, loaded when first needed. Its `run` is synchronous; the package's public
 * one is the same behind a timer, at twice the time of a small product. The version is pinned by what `Gemm` tests.
 */
import type { Tensor } from "onnxruntime-node";
import { createRequire } from "node:module";
import { join } from "node:path";

export interface NativeSession {
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: object): void;
  run(feeds: Record<string, Tensor>, fetches: Record<string, Tensor | null>, options: object): Record<string, Tensor>;
  dispose(): void;
}

export interface OnnxRuntime {
  readonly version: string;
  readonly Tensor: typeof Tensor;
  readonly Session: new () => NativeSession;
}

interface Binding {
  readonly binding: { readonly InferenceSession: new () => NativeSession };
  readonly initOrt: () => void;
}

export type Loaded = { readonly runtime: OnnxRuntime } | { readonly reason: string };

let loaded: Loaded | undefined;

/** The runtime, or one sentence that says why it cannot be used. Never throws. */
export function loadOnnxRuntime(): Loaded {
  return (loaded ??= load());
}

function load(): Loaded {
  // From the bundle and from sources alike, packages are found from this file's folder upwards.
  const require = createRequire(join(__dirname, "onnxRuntime.js"));
  // Version 1.30 keeps a device id and a database in the user's cache folder, and reports to its makers, unless told not to.
  process.env["ORT_DISABLE_TELEMETRY"] = "1";
  try {
    // The very Tensor class that the native part knows.
    const { Tensor } = createRequire(require.resolve("onnxruntime-node/package.json"))("onnxruntime-common") as { Tensor: OnnxRuntime["Tensor"] };
    const { version } = require("onnxruntime-node/package.json") as { version: string };
    const { binding, initOrt } = require("onnxruntime-node/dist/binding.js") as Partial<Binding>;
    if (!binding || !initOrt) return { reason: `ONNX Runtime ${version} has another native interface than RankLens knows.` };
    initOrt();
    return { runtime: { version, Tensor, Session: binding.InferenceSession } };
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    return { reason: `ONNX Runtime does not load on ${process.platform}-${process.arch}: ${why?.replace(/\.$/, "")}.` };
  }
}
