/** Longest name that is repeated inside a sentence: a damaged file may hold one of megabytes, used thousands of times. */
const LONGEST_IN_SENTENCE = 200;

export function clipped(name: string): string {
  return name.length > LONGEST_IN_SENTENCE ? `${name.slice(0, LONGEST_IN_SENTENCE)}…` : name;
}
