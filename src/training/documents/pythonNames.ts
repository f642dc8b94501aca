import { type SyntaxNode, type Tree } from "@lezer/common";

/** What a name stands for wherever it is used in the file: names that are given a value once, and nowhere otherwise. */
export type KnownNames = ReadonlyMap<string, SyntaxNode>;

/** In these a name is bound to what only a run tells. */
const BINDERS = new Set(["ParamList", "ForStatement", "UpdateStatement", "WithStatement", "NamedExpression", "ImportStatement", "ScopeStatement", "ClassDefinition", "FunctionDefinition", "TryStatement", "LambdaExpression", "ComprehensionExpression", "ArrayComprehensionExpression", "DeleteStatement"]);

/**
 * Finds `name = value`. A name with two assignments, or one that is bound in another way, is unknown: which value holds
 * is a matter of the run. A list or dictionary whose name has something done to it (`targets.append(…)`, `targets[0] = …`) is unknown too.
 */
export function knownNames(tree: Tree, text: string): KnownNames {
  const known = new Map<string, SyntaxNode>();
  const unknown = new Set<string>();
  const forget = (node: SyntaxNode): void => void unknown.add(text.slice(node.from, node.to));
  tree.iterate({
    enter: (ref) => {
      const node = ref.node;
      if (node.name === "AssignStatement") {
        const single = singleAssignment(node);
        if (single === null) targetsOf(node).forEach(forget);
        else {
          const name = text.slice(single.name.from, single.name.to);
          if (known.has(name)) unknown.add(name);
          known.set(name, single.value);
        }
      } else if (BINDERS.has(node.name)) boundBy(node).forEach(forget);
      else if (node.name === "MemberExpression" && node.firstChild?.name === "VariableName" && mayChange(node)) forget(node.firstChild);
    },
  });
  for (const name of unknown) known.delete(name);
  return known;
}

/** `name = value` or `name: type = value`. */
function singleAssignment(node: SyntaxNode): { readonly name: SyntaxNode; readonly value: SyntaxNode } | null {
  const parts = childrenOf(node).filter((child) => child.name !== "TypeDef");
  const [name, operator, value] = parts;
  return parts.length === 3 && name?.name === "VariableName" && operator?.name === "AssignOp" && value !== undefined ? { name, value } : null;
}

/** Every plain name before the last `=`. */
function targetsOf(node: SyntaxNode): SyntaxNode[] {
  const children = childrenOf(node);
  const last = children.findLastIndex((child) => child.name === "AssignOp");
  return children.slice(0, Math.max(0, last)).flatMap(namesIn);
}

/** Names that a statement binds, without those in its body; a few too many do no harm. */
function boundBy(node: SyntaxNode): SyntaxNode[] {
  return childrenOf(node).filter((child) => child.name === "VariableName" || child.name === "TupleExpression").flatMap(namesIn);
}

/** A method of the value is called, or one of its items is set: `x.append(1)`, `x[0] = 1`, `del x[0]`. */
function mayChange(member: SyntaxNode): boolean {
  const parent = member.parent;
  if (parent?.name === "CallExpression" && parent.firstChild?.from === member.from) return true;
  return (parent?.name === "AssignStatement" || parent?.name === "UpdateStatement" || parent?.name === "DeleteStatement") && parent.lastChild?.from !== member.from;
}

function namesIn(node: SyntaxNode): SyntaxNode[] {
  if (node.name === "VariableName") return [node];
  return node.name === "TupleExpression" || node.name === "ParenthesizedExpression" || node.name === "ArrayExpression" ? childrenOf(node).flatMap(namesIn) : [];
}

function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) children.push(child);
  return children;
}
