import { type SyntaxNode } from "@lezer/common";

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\\": "\\", "'": "'", '"': '"', "\n": "" };
const PLAIN = /^([rRuU]?)("""|'''|"|')([\s\S]*)\2$/;
const ESCAPE = /\\([\s\S])/g;

/** The text that a string literal stands for, of adjacent ones together; null for formatted strings, bytes and unfinished ones. */
export function pythonString(node: SyntaxNode, text: string): string | null {
  if (node.name === "ContinuedString") {
    let joined = "";
    for (let child = node.firstChild; child !== null; child = child.nextSibling) {
      if (child.name === "Comment") continue;
      const part = pythonString(child, text);
      if (part === null) return null;
      joined += part;
    }
    return joined;
  }
  if (node.name !== "String") return null;
  const match = PLAIN.exec(text.slice(node.from, node.to));
  if (match === null) return null;
  const [, prefix = "", , body = ""] = match;
  // Python keeps the backslash of an escape that it does not know, as patterns rely on.
  return prefix.toLowerCase() === "r" ? body : body.replace(ESCAPE, (whole, of: string) => ESCAPES[of] ?? whole);
}
