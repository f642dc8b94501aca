import { printable } from "../engine/printable";

/** Invisible, and neither a space nor a line break: it parts two characters that the editor would read as markup. */
const WORD_JOINER = "\u2060";

/**
 * Text of a file (a name, a path, a fault's sentence) for the editor's own labels: status bar and quick picks
 * draw `$(icon)`, and messages make `[text](command:…)` a link that runs a command.
 */
export function plainText(text: string): string {
  return printable(text).replaceAll("$(", `$${WORD_JOINER}(`).replaceAll("](", `]${WORD_JOINER}(`);
}

/** Keeps both ends: the end of a file's name says what it is. @param length at least 3 characters */
export function shortened(text: string, length: number): string {
  if (text.length <= length) return text;
  const tail = Math.ceil((length - 1) / 2);
  return `${text.slice(0, length - 1 - tail)}…${text.slice(-tail)}`;
}
