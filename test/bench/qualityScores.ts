import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import * as ort from "onnxruntime-node";
import { uniform } from "../unit/support/matrices";

/** A score of a model file, and how it is written. */
export type Score = (path: string) => Promise<number>;

const IMAGES = 10_000, PIXELS = 784, IMAGE_HEADER = 16, LABEL_HEADER = 8;

/** Accuracy on MNIST's 10,000 test images, in percent. */
export function mnistAccuracy(models: string): Score {
  const images = gunzipSync(readFileSync(join(models, "data/mnist_t10k-images-idx3-ubyte.gz"))).subarray(IMAGE_HEADER);
  const labels = gunzipSync(readFileSync(join(models, "data/mnist_t10k-labels-idx1-ubyte.gz"))).subarray(LABEL_HEADER);
  return async (path) => {
    const session = await ort.InferenceSession.create(path);
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

const STORIES = 24, LENGTH = 128, VOCABULARY = 2048;

/**
 * Perplexity on stories that the original model itself tells (seeded sampling from its distribution): how surprised a candidate
 * is by the original. The original's own value is the entropy of its distribution.
 */
export async function storyPerplexity(original: string): Promise<Score> {
  const stories = await sampled(original);
  return async (path) => {
    const session = await ort.InferenceSession.create(path);
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
  const session = await ort.InferenceSession.create(path);
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
