import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import type { Score } from "./qualityScores";
import { openSession } from "./qualitySessions";

const SAMPLE_RATE = 16_000;

/** Samples of a mono file of 16 bits, from −1 to 1. */
function samplesOf(path: string): Float32Array {
  const bytes = readFileSync(path);
  let at = 12;
  while (bytes.toString("latin1", at, at + 4) !== "data") at += 8 + bytes.readUInt32LE(at + 4);
  const count = bytes.readUInt32LE(at + 4) / 2;
  return Float32Array.from({ length: count }, (_, i) => bytes.readInt16LE(at + 8 + 2 * i) / 32768);
}

const SPEECH_FRAME = 512, SPEECH_CONTEXT = 64, SPEECH = 0.5;

/** Silero's voice detector: frames of a minute of speech on whose decision a candidate agrees with the original, in percent. */
export async function speechAgreement(models: string, original: string): Promise<Score> {
  const samples = samplesOf(join(models, "data/silero_test.wav"));
  const expected = await speechFrames(original, samples);
  return async (path) => {
    const found = await speechFrames(path, samples);
    return (100 * found.filter((isSpeech, frame) => isSpeech === expected[frame]).length) / expected.length;
  };
}

async function speechFrames(path: string, samples: Float32Array): Promise<boolean[]> {
  const session = await openSession(path, { logSeverityLevel: 3 });
  const frames: boolean[] = [];
  let state: ort.Tensor = new ort.Tensor("float32", new Float32Array(256), [2, 1, 128]);
  for (let start = 0; start + SPEECH_FRAME <= samples.length; start += SPEECH_FRAME) {
    const frame = new Float32Array(SPEECH_CONTEXT + SPEECH_FRAME);
    frame.set(samples.subarray(Math.max(0, start - SPEECH_CONTEXT), start + SPEECH_FRAME), start === 0 ? SPEECH_CONTEXT : 0);
    const results = await session.run({ input: new ort.Tensor("float32", frame, [1, frame.length]), sr: new ort.Tensor("int64", BigInt64Array.of(BigInt(SAMPLE_RATE)), []), state });
    state = results["stateN"]!;
    frames.push((results["output"]!.data as Float32Array)[0]! > SPEECH);
  }
  await session.release();
  return frames;
}

const BLOCK = 512, HOP = 128, BINS = BLOCK / 2 + 1, STATE = [1, 2, 128, 2];

/**
 * DTLN's second stage behind the first as it is: scale-invariant signal-to-distortion ratio of noisy speech after both, in dB
 * (Le Roux et al., SDR – half-baked or well done?, 2019).
 */
export async function noiseSuppression(models: string): Promise<Score> {
  const noisy = decimated(samplesOf(join(models, "data/dfn_noisy_snr0.wav")));
  const clean = decimated(samplesOf(join(models, "data/dfn_clean_freesound_33711.wav")));
  const blocks = await firstStage(noisy, join(models, "onnx/dtln_model_1.onnx"));
  return async (path) => {
    const out = await secondStage(blocks, noisy.length, path);
    // A block is complete only when the last of its hops has come.
    return distortionRatio(out.subarray(0, clean.length - BLOCK), clean.subarray(0, clean.length - BLOCK));
  };
}

/** Blocks of the signal, masked. */
async function firstStage(noisy: Float32Array, path: string): Promise<Float32Array[]> {
  const session = await openSession(path);
  const blocks: Float32Array[] = [];
  let state: ort.Tensor = new ort.Tensor("float32", new Float32Array(512), STATE);
  for (let start = 0; start + BLOCK <= noisy.length; start += HOP) {
    const { real, imaginary } = spectrum(noisy.subarray(start, start + BLOCK));
    const magnitude = real.map((value, bin) => Math.hypot(value, imaginary[bin]!));
    const results = await session.run({ input_2: new ort.Tensor("float32", magnitude, [1, 1, BINS]), input_3: state });
    state = results["tf_op_layer_stack_2"]!;
    const mask = results["activation_2"]!.data as Float32Array;
    blocks.push(signal(real.map((value, bin) => value * mask[bin]!), imaginary.map((value, bin) => value * mask[bin]!)));
  }
  await session.release();
  return blocks;
}

/** The signal of that many samples, its blocks added up. */
async function secondStage(blocks: readonly Float32Array[], length: number, path: string): Promise<Float32Array> {
  const session = await openSession(path);
  const out = new Float32Array(length);
  let state: ort.Tensor = new ort.Tensor("float32", new Float32Array(512), STATE);
  for (const [number, block] of blocks.entries()) {
    const results = await session.run({ input_4: new ort.Tensor("float32", block, [1, 1, BLOCK]), input_5: state });
    state = results["tf_op_layer_stack_5"]!;
    (results["conv1d_3"]!.data as Float32Array).forEach((value, i) => { out[number * HOP + i]! += value; });
  }
  await session.release();
  return out;
}

const COSINES = Float64Array.from({ length: BLOCK }, (_, i) => Math.cos((2 * Math.PI * i) / BLOCK));
const SINES = Float64Array.from({ length: BLOCK }, (_, i) => Math.sin((2 * Math.PI * i) / BLOCK));

function spectrum(block: Float32Array): { real: Float32Array; imaginary: Float32Array } {
  const [real, imaginary] = [new Float32Array(BINS), new Float32Array(BINS)];
  for (let bin = 0; bin < BINS; bin++) {
    let [x, y] = [0, 0];
    for (let i = 0; i < BLOCK; i++) {
      x += block[i]! * COSINES[(i * bin) % BLOCK]!;
      y -= block[i]! * SINES[(i * bin) % BLOCK]!;
    }
    real[bin] = x;
    imaginary[bin] = y;
  }
  return { real, imaginary };
}

function signal(real: Float32Array, imaginary: Float32Array): Float32Array {
  return Float32Array.from({ length: BLOCK }, (_, i) => {
    let sum = 0;
    for (let bin = 0; bin < BINS; bin++) {
      const twice = bin === 0 || bin === BINS - 1 ? 1 : 2;
      sum += twice * (real[bin]! * COSINES[(i * bin) % BLOCK]! - imaginary[bin]! * SINES[(i * bin) % BLOCK]!);
    }
    return sum / BLOCK;
  });
}

/** Taps of the low pass before every third sample is taken: a windowed sinc. */
const DECIMATION = 3, TAPS = 97;

/** 48 kHz → 16 kHz. */
function decimated(samples: Float32Array): Float32Array {
  const middle = (TAPS - 1) / 2;
  const taps = Float64Array.from({ length: TAPS }, (_, i) => {
    const x = (i - middle) / DECIMATION;
    return ((x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)) * (0.54 + 0.46 * Math.cos((Math.PI * (i - middle)) / middle))) / DECIMATION;
  });
  return Float32Array.from({ length: Math.floor(samples.length / DECIMATION) }, (_, i) => taps.reduce((sum, tap, k) => sum + tap * (samples[i * DECIMATION + k - middle] ?? 0), 0));
}

function distortionRatio(estimate: Float32Array, clean: Float32Array): number {
  let [inner, energy] = [0, 0];
  clean.forEach((value, i) => { inner += value * estimate[i]!; energy += value * value; });
  let [target, rest] = [0, 0];
  clean.forEach((value, i) => {
    const part = (inner / energy) * value;
    target += part * part;
    rest += (estimate[i]! - part) ** 2;
  });
  return 10 * Math.log10(target / rest);
}
