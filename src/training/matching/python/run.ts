import { isWord } from "./characters";
import type { Program } from "./program";
import type { Place } from "./syntax";

const NEWLINE = 0x0a;
/** On the stack, the place of a slot that had none. */
const UNSET = -1;

/** Start and end of each group, at 2·number and 2·number + 1; of all at 0 and 1. */
export type Slots = readonly (number | undefined)[];

/**
 * Runs a program from one place, in the order of preference of Python's matcher. A step is never tried twice at the same place
 * (Cox, "Regular Expression Matching: the Virtual Machine Approach", 2009), so the time is at most steps × characters,
 * whatever the expression. That is exact as nothing in it depends on what groups hold.
 * @param text code points
 * @param toEnd whether only a match up to the end counts
 * @returns null when there is no match
 */
export function run(program: Program, text: readonly number[], start: number, toEnd: boolean): Slots | null {
  const width = text.length + 1;
  const tried = new Uint8Array(program.length * width);
  const slots: (number | undefined)[] = [start];
  /** Threads to try, last first, as pairs of step and place; a negative step puts the slot of that number back to the place. */
  const stack: number[] = [0, start];
  while (stack.length > 0) {
    let at = stack.pop()!, step = stack.pop()!;
    if (step < 0) {
      slots[-step] = at === UNSET ? undefined : at;
      continue;
    }
    for (;;) {
      const seen = step * width + at;
      if (tried[seen] === 1) break;
      tried[seen] = 1;
      const now = program[step]!;
      if (now.op === "matched") {
        if (toEnd && at !== text.length) break;
        slots[1] = at;
        return slots;
      }
      if (now.op === "split") {
        stack.push(now.second, at);
        step = now.first;
      } else if (now.op === "jump") step = now.to;
      else if (now.op === "save") {
        stack.push(-now.slot, slots[now.slot] ?? UNSET);
        slots[now.slot] = at;
        step++;
      } else {
        const next = nextPlace(now, text, at);
        if (next === null) break;
        at = next;
        step++;
      }
    }
  }
  return null;
}

function nextPlace(step: Exclude<Program[number], { op: "split" | "jump" | "save" | "matched" }>, text: readonly number[], at: number): number | null {
  switch (step.op) {
    case "character": return at < text.length && step.has(text[at]!) ? at + 1 : null;
    case "at": return isAt(step.where, text, at) ? at : null;
    case "atomic": return run(step.program, text, at, false)?.[1] ?? null;
    case "look": {
      const from = at - (step.width ?? 0);
      const found = from >= 0 && run(step.program, text, from, false) !== null;
      return found !== step.negative ? at : null;
    }
  }
}

function isAt(where: Place, text: readonly number[], at: number): boolean {
  const boundary = (): boolean => isWord(text[at - 1], false) !== isWord(text[at], false);
  switch (where) {
    case "start": return at === 0;
    case "end": return at === text.length;
    case "finalNewline": return at === text.length || (at === text.length - 1 && text[at] === NEWLINE);
    case "lineStart": return at === 0 || text[at - 1] === NEWLINE;
    case "lineEnd": return at === text.length || text[at] === NEWLINE;
    case "boundary": return boundary();
    case "notBoundary": return !boundary();
  }
}
