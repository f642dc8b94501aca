import type { TableLine } from "../../../src/shared/protocol";

export type TableAction =
  | { readonly type: "move"; readonly by: number }
  | { readonly type: "first" | "last" | "toggle" | "fold" | "unfold" | "copy" | "filter" | "head" };

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

/**
 * What a key does in the table; null: nothing, the browser has it.
 * @param atTop the first line is the current one
 * @param page lines of one screen
 */
export function tableAction({ key, ctrlKey, metaKey, altKey }: KeyPress, atTop: boolean, page: number): TableAction | null {
  if (altKey) return null;
  if (ctrlKey || metaKey) {
    switch (key) {
      case "c": return { type: "copy" };
      case "Home": return { type: "first" };
      case "End": return { type: "last" };
      default: return null;
    }
  }
  switch (key) {
    case "ArrowDown": return { type: "move", by: 1 };
    case "ArrowUp": return atTop ? { type: "head" } : { type: "move", by: -1 };
    case "PageDown": return { type: "move", by: page };
    case "PageUp": return { type: "move", by: -page };
    case "Home": return { type: "first" };
    case "End": return { type: "last" };
    case "ArrowRight": return { type: "unfold" };
    case "ArrowLeft": return { type: "fold" };
    case "Enter":
    case " ": return { type: "toggle" };
    case "/": return { type: "filter" };
    default: return null;
  }
}

/** Layers whose parts are shown after a line was folded or opened. */
export function toggled(open: readonly string[], name: string): readonly string[] {
  return open.includes(name) ? open.filter((each) => each !== name) : [...open, name];
}

/** How far above a part its layer's line stands, given a way to look at lines; 0 when it is a layer itself. */
export function linesToLayer(index: number, lineAt: (index: number) => TableLine | undefined): number {
  let up = 0;
  while (index - up > 0 && lineAt(index - up)?.depth === 1) up++;
  return up;
}
