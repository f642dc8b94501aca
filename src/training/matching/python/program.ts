import { PatternFault, type CharacterSet, type Expression, type Place } from "./syntax";

/** A step of a compiled expression; `to` and the like are positions in the program. */
export type Step =
  | { readonly op: "character"; readonly has: CharacterSet }
  | { readonly op: "at"; readonly where: Place }
  /** Tries `first`, then `second`. */
  | { readonly op: "split"; first: number; second: number }
  | { readonly op: "jump"; to: number }
  | { readonly op: "save"; readonly slot: number }
  /** Behind: `width` characters back. */
  | { readonly op: "look"; readonly program: Program; readonly negative: boolean; readonly width: number | null }
  | { readonly op: "atomic"; readonly program: Program }
  | { readonly op: "matched" };

export type Program = readonly Step[];

/** Steps after which an expression is refused: counted repeats are written out. */
const MOST_STEPS = 20_000;

/** @throws PatternFault */
export function compile(expression: Expression): Program {
  const steps: Step[] = [];
  add(expression, steps);
  steps.push({ op: "matched" });
  return steps;
}

function add(expression: Expression, steps: Step[]): void {
  if (steps.length > MOST_STEPS) throw new PatternFault("unsupported", `an expression of more than ${MOST_STEPS} steps`, 0);
  switch (expression.kind) {
    case "character": steps.push({ op: "character", has: expression.has }); return;
    case "at": steps.push({ op: "at", where: expression.where }); return;
    case "sequence": for (const part of expression.parts) add(part, steps); return;
    case "choice": addChoice(expression.branches, steps); return;
    case "repeat": addRepeat(expression, steps); return;
    case "group":
      steps.push({ op: "save", slot: 2 * expression.number });
      add(expression.part, steps);
      steps.push({ op: "save", slot: 2 * expression.number + 1 });
      return;
    case "atomic": steps.push({ op: "atomic", program: compile(expression.part) }); return;
    case "look": {
      const width = expression.ahead ? null : widthOf(expression.part);
      if (!expression.ahead && width === null) throw new PatternFault("invalid", "a look-behind without a fixed width", 0);
      steps.push({ op: "look", program: compile(expression.part), negative: expression.negative, width });
    }
  }
}

function addChoice(branches: readonly Expression[], steps: Step[]): void {
  const ends: Extract<Step, { op: "jump" }>[] = [];
  branches.forEach((branch, index) => {
    if (index === branches.length - 1) {
      add(branch, steps);
      return;
    }
    const split: Step = { op: "split", first: steps.length + 1, second: 0 };
    steps.push(split);
    add(branch, steps);
    const end: Step = { op: "jump", to: 0 };
    ends.push(end);
    steps.push(end);
    split.second = steps.length;
  });
  for (const end of ends) end.to = steps.length;
}

function addRepeat({ part, least, most, mode }: Extract<Expression, { kind: "repeat" }>, steps: Step[]): void {
  if (mode === "possessive") {
    steps.push({ op: "atomic", program: compile({ kind: "repeat", part, least, most, mode: "greedy" }) });
    return;
  }
  if (Math.max(least, Number.isFinite(most) ? most : 0) > MOST_STEPS) throw new PatternFault("unsupported", `a repeat of more than ${MOST_STEPS}`, 0);
  for (let count = 0; count < least; count++) add(part, steps);
  const splits: Extract<Step, { op: "split" }>[] = [];
  const branch = (): number => {
    const split: Step = { op: "split", first: 0, second: 0 };
    splits.push(split);
    return steps.push(split) - 1;
  };
  const starts: number[] = [];
  if (most === Infinity) {
    const start = branch();
    starts.push(start + 1);
    add(part, steps);
    steps.push({ op: "jump", to: start });
  } else {
    for (let count = least; count < most; count++) {
      starts.push(branch() + 1);
      add(part, steps);
    }
  }
  splits.forEach((split, index) => {
    const inside = starts[index]!, outside = steps.length;
    [split.first, split.second] = mode === "lazy" ? [outside, inside] : [inside, outside];
  });
}

/** Characters that an expression always takes; null where that differs. */
function widthOf(expression: Expression): number | null {
  switch (expression.kind) {
    case "character": return 1;
    case "at": case "look": return 0;
    case "group": case "atomic": return widthOf(expression.part);
    case "sequence": return sum(expression.parts.map(widthOf));
    case "choice": {
      const widths = new Set(expression.branches.map(widthOf));
      return widths.size === 1 ? [...widths][0]! : null;
    }
    case "repeat": {
      const width = widthOf(expression.part);
      if (width === 0) return 0;
      return width === null || expression.least !== expression.most ? null : width * expression.least;
    }
  }
}

function sum(widths: readonly (number | null)[]): number | null {
  return widths.reduce<number | null>((all, width) => (all === null || width === null ? null : all + width), 0);
}
