import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import * as ort from "onnxruntime-node";
import { openSession } from "./qualitySessions";
import { uniform } from "../unit/support/matrices";

/** A score of a model file, and how it is written. */
export type Score = (path: string) => Promise<number>;

const IMAGES = 2000, PIXELS = 784, IMAGE_HEADER = 16, LABEL_HEADER = 8;

/** Accuracy on the first 2,000 of MNIST's test images, in percent. */
export function mnistAccuracy(models: string): Score {
  const images = gunzipSync(readFileSync(join(models, "data/mnist_t10k-images-idx3-ubyte.gz"))).subarray(IMAGE_HEADER);
  const labels = gunzipSync(readFileSync(join(models, "data/mnist_t10k-labels-idx1-ubyte.gz"))).subarray(LABEL_HEADER);
  return async (path) => {
    const session = await openSession(path);
    let right = 0;
    for (let image = 0; image < IMAGES; image++) {
      const pixels = Float32Array.from(images.subarray(image * PIXELS, (image + 1) * PIXELS));
      const scores = Object.values(await session.run({ Input3: new ort.Tensor("float32", pixels, [1, 1, 28, 28]) }))[0]!.data as Float32Array;
      if (scores.indexOf(Math.max(...scores)) === labels[image]) right++;
    }
    await session.release();
    return (100 * right) / IMAGES;
  };
}

/** What the model looks at of a file: this many bytes of both ends, without white space there, of blocks of that many. */
const WINDOW = 1024, END_BLOCK = 4096, PADDING = 256;
const CONTENTS = 200;

/** Magika: contents of its own tests that a candidate gives the same label as the original, in percent. */
export async function labelAgreement(models: string, original: string): Promise<Score> {
  const inputs = contentsOf(models);
  const expected = await labels(original, inputs);
  return async (path) => {
    const found = await labels(path, inputs);
    return (100 * found.filter((label, index) => label === expected[index]).length) / expected.length;
  };
}

/** Evenly out of all different contents of the project's two sets of tests. */
function contentsOf(models: string): Int32Array[] {
  const all = ["magika_v3_3_inference_by_content", "magika_features_extraction_examples"].flatMap((name) =>
    (JSON.parse(gunzipSync(readFileSync(join(models, `data/${name}.json.gz`))).toString()) as { content_base64: string }[]).map((example) => example.content_base64));
  const different = [...new Set(all)].filter((content) => content.length > 0);
  const step = Math.max(1, Math.floor(different.length / CONTENTS));
  return different.filter((_, index) => index % step === 0).map((content) => windows(Buffer.from(content, "base64")));
}

function windows(content: Buffer): Int32Array {
  const isSpace = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13);
  const first = [...content.subarray(0, END_BLOCK)], last = [...content.subarray(-END_BLOCK)];
  const start = first.findIndex((byte) => !isSpace(byte)), end = last.findLastIndex((byte) => !isSpace(byte));
  const out = new Int32Array(2 * WINDOW).fill(PADDING);
  if (start >= 0) out.set(first.slice(start, start + WINDOW));
  const tail = last.slice(Math.max(0, end + 1 - WINDOW), end + 1);
  out.set(tail, 2 * WINDOW - tail.length);
  return out;
}

async function labels(path: string, inputs: readonly Int32Array[]): Promise<number[]> {
  const session = await openSession(path);
  const found: number[] = [];
  for (const bytes of inputs) {
    const scores = Object.values(await session.run({ bytes: new ort.Tensor("int32", bytes, [1, bytes.length]) }))[0]!.data as Float32Array;
    found.push(scores.indexOf(Math.max(...scores)));
  }
  await session.release();
  return found;
}

const STORIES = 24, LENGTH = 128, VOCABULARY = 2048;

/**
 * Perplexity on stories that the original model itself tells (seeded sampling from its distribution): how surprised a candidate
 * is by the original. The original's own value is the entropy of its distribution.
 */
export async function storyPerplexity(original: string): Promise<Score> {
  const stories = await sampled(original);
  return async (path) => {
    const session = await openSession(path);
    let [loss, count] = [0, 0];
    for (const story of stories) {
      const logits = await logitsOf(session, story);
      for (let at = 0; at + 1 < story.length; at++, count++) loss -= logProbability(logits.subarray(at * VOCABULARY, (at + 1) * VOCABULARY), story[at + 1]!);
    }
    await session.release();
    return Math.exp(loss / count);
  };
}

async function sampled(path: string): Promise<number[][]> {
  const session = await openSession(path);
  const next = uniform(11);
  const stories = Array.from({ length: STORIES }, (_, story) => [1 + story]);
  for (const story of stories) {
    while (story.length < LENGTH) {
      const logits = (await logitsOf(session, story)).subarray((story.length - 1) * VOCABULARY);
      const first = logProbability(logits, 0) - logits[0]!;
      let left = next(), token = 0;
      while (token < VOCABULARY - 1 && (left -= Math.exp(logits[token]! + first)) > 0) token++;
      story.push(token);
    }
  }
  await session.release();
  return stories;
}

async function logitsOf(session: ort.InferenceSession, tokens: readonly number[]): Promise<Float32Array> {
  const feeds = { input_ids: new ort.Tensor("int64", BigInt64Array.from(tokens, BigInt), [1, tokens.length]) };
  return (await session.run(feeds))["logits"]!.data as Float32Array;
}

function logProbability(logits: Float32Array, token: number): number {
  let most = -Infinity, sum = 0;
  for (const logit of logits) most = Math.max(most, logit);
  for (const logit of logits) sum += Math.exp(logit - most);
  return logits[token]! - most - Math.log(sum);
}
