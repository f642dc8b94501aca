import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { tensorProto } from "../../src/factorize/onnx/surgery";

type Feeds = Readonly<Record<string, ort.Tensor>>;

let recording: Feeds[] | null = null;

/** A session whose inputs can be recorded. */
export async function openSession(path: string, options: ort.InferenceSession.SessionOptions = {}): Promise<ort.InferenceSession> {
  const session = await ort.InferenceSession.create(path, options);
  const run = session.run.bind(session);
  session.run = (feeds: Feeds) => {
    recording?.push(feeds);
    return run(feeds);
  };
  return session;
}

/** More inputs tell little more of the moments. */
const MOST_INPUTS = 200;
const TYPES: Readonly<Record<string, number>> = { float32: 1, int32: 6, int64: 7 };

/**
 * Writes every second input that a score runs a model on, or fewer where there are many, as ONNX test data.
 * @param score of the original
 * @returns how many there are
 */
export async function recordInputs(score: () => Promise<unknown>, folder: string): Promise<number> {
  const all: Feeds[] = [];
  recording = all;
  await score();
  recording = null;
  const step = Math.max(2, Math.ceil(all.length / MOST_INPUTS));
  const taken = all.filter((_, index) => index % step === 0);
  for (const [number, feeds] of taken.entries()) {
    const set = join(folder, `test_data_set_${number}`);
    mkdirSync(set, { recursive: true });
    for (const [input, [name, { dims, type, data }]] of Object.entries(feeds).entries()) {
      const { buffer, byteOffset, byteLength } = data as Float32Array;
      writeFileSync(join(set, `input_${input}.pb`), tensorProto(name, dims, TYPES[type]!, new Uint8Array(buffer, byteOffset, byteLength)));
    }
  }
  return taken.length;
}
