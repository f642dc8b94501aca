import { type SyntaxNode } from "@lezer/common";
import { parser } from "@lezer/python";
import { knownNames, type KnownNames } from "./pythonNames";
import { pythonString } from "./pythonString";
import { textOf, type Located, type LocatedEntry, type LocatedMapping, type Range } from "./located";

export interface ParsedPython {
  readonly calls: readonly LocatedMapping[];
  readonly comments: readonly Range[];
}

/** Deeper nesting is no config. */
const DEPTH_AT_MOST = 60;

/** Reads every call of a Python file, a notebook's cell, or a part of one. Never throws. */
export function parsePython(text: string): ParsedPython {
  const tree = parser.parse(text);
  const nodes: SyntaxNode[] = [];
  const comments: Range[] = [];
  tree.iterate({
    enter: (node) => {
      if (node.name === "CallExpression") nodes.push(node.node);
      else if (node.name === "Comment") comments.push({ start: node.from, end: node.to });
    },
  });
  const reader = new PythonReader(text, knownNames(tree, text));
  return { calls: nodes.map((node) => reader.call(node, 0)), comments };
}

class PythonReader {
  constructor(private readonly text: string, private readonly names: KnownNames) {}

  call(node: SyntaxNode, depth: number): LocatedMapping {
    const called = node.firstChild ?? node;
    const list = node.getChild("ArgList");
    const range = list === null ? { start: called.to, end: node.to } : rangeOf(list);
    const entries: LocatedEntry[] = [];
    const positional: Located[] = [];
    let completeness: LocatedMapping["completeness"] = "whole";
    for (const part of list === null ? [] : argumentsOf(list)) {
      const [first, second, third] = part;
      if (first === undefined) continue;
      if (hasError(part)) completeness = "broken";
      if (first.name === "**" && second !== undefined) {
        const spread = this.spread(second, depth);
        if (spread === null && completeness === "whole") completeness = "open";
        entries.push(...(spread ?? []));
      } else if (second?.name === "AssignOp") {
        const value: Located = third === undefined ? { kind: "unresolved", range: { start: second.to, end: second.to }, why: "syntax" } : this.value(third, depth + 1);
        entries.push(this.entry(first, textOf(this.text, rangeOf(first)), value, third));
      } else positional.push(this.value(first, depth + 1));
    }
    if (list?.lastChild?.name !== ")") completeness = "broken";
    const name = textOf(this.text, rangeOf(called)).replace(/\s+/g, "");
    return { kind: "mapping", entries, range, style: "flow", call: { name, range: rangeOf(called), positional }, completeness };
  }

  /** Where the value stands elsewhere, the entry ends with the name that stands for it. */
  private entry(keyNode: SyntaxNode, key: string, value: Located, valueNode: SyntaxNode | undefined): LocatedEntry {
    const keyRange = rangeOf(keyNode);
    const end = valueNode?.to ?? value.range.end;
    return { key, keyRange, value, range: { start: keyRange.start, end }, borrowed: valueNode?.name === "VariableName" };
  }

  private spread(node: SyntaxNode, depth: number): LocatedEntry[] | null {
    const value = this.value(node, depth + 1);
    if (value.kind !== "mapping" || (value.call !== null && value.call.name !== "dict") || value.completeness !== "whole") return null;
    return value.entries.map((entry) => ({ ...entry, borrowed: entry.borrowed || node.name === "VariableName" }));
  }

  private value(node: SyntaxNode, depth: number): Located {
    const range = rangeOf(node);
    const unresolved: Located = { kind: "unresolved", range, why: node.type.isError ? "syntax" : "expression" };
    if (depth > DEPTH_AT_MOST) return unresolved;
    switch (node.name) {
      case "String":
      case "ContinuedString": {
        const value = pythonString(node, this.text);
        return value === null ? unresolved : { kind: "scalar", value, range };
      }
      case "Number": return this.number(node, 1);
      case "UnaryExpression": {
        const sign = node.firstChild?.name === "ArithOp" ? textOf(this.text, rangeOf(node.firstChild)) : "";
        return node.lastChild?.name === "Number" && sign !== "~" ? { ...this.number(node.lastChild, sign === "-" ? -1 : 1), range } : unresolved;
      }
      case "Boolean": return { kind: "scalar", value: textOf(this.text, range) === "True", range };
      case "None": return { kind: "scalar", value: null, range };
      case "ParenthesizedExpression": {
        const inner = childrenOf(node).filter((child) => child.name !== "(" && child.name !== ")");
        return inner.length === 1 ? this.value(inner[0]!, depth + 1) : unresolved;
      }
      case "ArrayExpression":
      case "TupleExpression":
      case "SetExpression": return this.sequence(node, depth);
      case "DictionaryExpression": return this.dictionary(node, depth);
      case "CallExpression": return this.call(node, depth);
      case "VariableName": {
        const known = this.names.get(textOf(this.text, range));
        return known !== undefined && known.to <= node.from ? this.value(known, depth + 1) : unresolved;
      }
      default: return unresolved;
    }
  }

  private number(node: SyntaxNode, sign: 1 | -1): Located {
    const range = rangeOf(node);
    const value = Number(textOf(this.text, range).replaceAll("_", ""));
    return Number.isFinite(value) ? { kind: "scalar", value: sign * value, range } : { kind: "unresolved", range, why: "expression" };
  }

  private sequence(node: SyntaxNode, depth: number): Located {
    const items: Located[] = [];
    for (const part of argumentsOf(node)) {
      // `*more` and comprehensions are known to a run only.
      if (part.length !== 1) return { kind: "unresolved", range: rangeOf(node), why: "expression" };
      items.push(this.value(part[0]!, depth + 1));
    }
    return { kind: "sequence", items, range: rangeOf(node), style: "flow" };
  }

  private dictionary(node: SyntaxNode, depth: number): Located {
    const entries: LocatedEntry[] = [];
    let completeness: LocatedMapping["completeness"] = hasError([node]) ? "broken" : "whole";
    for (const part of argumentsOf(node)) {
      const [first, second, third] = part;
      const key = first === undefined ? null : pythonString(first, this.text);
      if (first !== undefined && key !== null && second?.name === ":" && third !== undefined && part.length === 3) entries.push(this.entry(first, key, this.value(third, depth + 1), third));
      else if (completeness === "whole") completeness = "open";
    }
    return { kind: "mapping", entries, range: rangeOf(node), style: "flow", call: null, completeness };
  }
}

const BRACKETS = new Set(["(", ")", "[", "]", "{", "}"]);

/** What stands between the commas of a list of arguments or items, comments left out. */
function argumentsOf(list: SyntaxNode): SyntaxNode[][] {
  const parts: SyntaxNode[][] = [[]];
  for (const child of childrenOf(list)) {
    if (child.name === ",") parts.push([]);
    else if (!BRACKETS.has(child.name) && child.name !== "Comment") parts.at(-1)?.push(child);
  }
  return parts.filter((part) => part.some((node) => !node.type.isError));
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}

function hasError(nodes: readonly SyntaxNode[]): boolean {
  return nodes.some((node) => node.type.isError || childrenOf(node).some((child) => hasError([child])));
}

function rangeOf(node: { readonly from: number; readonly to: number }): Range {
  return { start: node.from, end: node.to };
}
