import type * as Ort from "onnxruntime-node";
import { product } from "../factorize/target";
import { gaussian, mulberry } from "./random";
import { isFloat, tensorOf, type Feeds, type InputMeta } from "./tensors";

/** Random inputs, and how they were chosen where the graph leaves something open. */
export interface SeededInputs {
  readonly batches: readonly Feeds[];
  readonly words: string;
}

/**
 * Lengths of axes that the graph leaves open, in the order in which they are tried: many graphs run with any, and those that
 * frame a signal, halve an image several times or look back some samples want one that no graph says.
 */
const LENGTHS = [16, 32, 64, 128, 256, 512, 1024, 4096, 16384];
/** Larger inputs are not tried. */
const LARGEST_INPUT = 4 * 1024 * 1024;
/** Random integers are below this: they are indices of something, often of no more than two things. */
const INTEGER_BOUNDS = [100, 2];
const SEEDED_BATCHES = 4;
const SEED = 1;

/**
 * Random inputs that are the same for every call, in the ways in which a graph's open axes can be filled: first axes are 1 (a
 * sample), and so is every axis of their name; all others have one length, or, where a graph has several in different inputs,
 * the inner ones of inputs whose last axis is fixed (a state's batch) are 1 too.
 */
export function* seededInputs(ort: typeof Ort, inputs: readonly InputMeta[]): Generator<SeededInputs> {
  const isOpen = ({ shape }: InputMeta): boolean => shape.some((size, axis) => axis > 0 && isOpenAxis(size));
  const lengths = inputs.some(isOpen) ? LENGTHS : LENGTHS.slice(0, 1);
  const bounds = inputs.every(({ type }) => isFloat(type) || type === "string") ? INTEGER_BOUNDS.slice(0, 1) : INTEGER_BOUNDS;
  for (const bound of bounds) {
    const seen = new Set<string>();
    for (const length of lengths) {
      for (const inner of [length, 1]) {
        const shapes = inputs.map((input) => sizesOf(input, inputs, length, inner));
        if (seen.has(String(shapes)) || shapes.some((sizes) => product(sizes) > LARGEST_INPUT)) continue;
        seen.add(String(shapes));
        yield { batches: batchesOf(ort, inputs, shapes, bound), words: lengths.length === 1 ? "" : `, open axes of length ${length}` };
      }
    }
  }
}

/** The sizes of one input. @param inner of open axes between the first and a last one that is fixed */
function sizesOf({ shape }: InputMeta, inputs: readonly InputMeta[], length: number, inner: number): number[] {
  const samples = new Set(inputs.map((input) => input.shape[0]).filter((size) => typeof size === "string" && size !== "" && size !== "?"));
  const isFramed = shape.length > 0 && !isOpenAxis(shape.at(-1)!);
  return shape.map((size, axis) => {
    if (!isOpenAxis(size)) return Number(size);
    if (axis === 0 || samples.has(size)) return 1;
    return isFramed ? inner : length;
  });
}

function isOpenAxis(size: number | string): boolean {
  return typeof size !== "number" || size <= 0;
}

/** Of inputs that are texts. */
const WORDS = ["the", "rank", "of", "a", "matrix", "is", "how", "much", "it", "tells"];

function batchesOf(ort: typeof Ort, inputs: readonly InputMeta[], shapes: readonly (readonly number[])[], bound: number): Feeds[] {
  const next = mulberry(SEED);
  return Array.from({ length: SEEDED_BATCHES }, () => Object.fromEntries(inputs.map((input, index) => {
    const { name, type } = input;
    const below = (end: number): number => Math.floor(next() * end);
    const value = (): number | string => (type === "string" ? WORDS[below(WORDS.length)]! : isFloat(type) ? gaussian(next) : below(type === "bool" ? 2 : bound));
    return [name, tensorOf(ort, input, shapes[index]!, Array.from({ length: product(shapes[index]!) }, value))];
  })));
}

/** Random numbers that are the same for every call. */
export function seededGaussians(count: number): Float64Array {
  const next = mulberry(SEED);
  return Float64Array.from({ length: count }, () => gaussian(next));
}
