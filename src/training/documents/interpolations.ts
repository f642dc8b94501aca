import { entryOf, type Located, type LocatedEntry, type LocatedMapping } from "./located";

/** `${path.to.key}` of OmegaConf: a path from the document's root, without a resolver. */
const PATH = /\$\{([A-Za-z_][\w-]*(?:\.[\w-]+)*)\}/g;
/** What templates and shells put in before a library reads the file. */
const LEFT_OPEN = /\$\{|\{\{|\{%|\$\(/;
/** `a: ${b}`, `b: ${c}` … a longer chain is taken for a circle. */
const STEPS_AT_MOST = 8;

/**
 * Puts in what `${path.to.key}` stands for where the document itself tells, and marks every other text with an
 * interpolation as unresolved.
 */
export function withInterpolations(root: LocatedMapping): LocatedMapping {
  const mapping = (of: LocatedMapping): LocatedMapping => ({ ...of, entries: of.entries.map(entry) });
  const entry = (of: LocatedEntry): LocatedEntry => {
    const value = located(of.value);
    return value === of.value ? of : { ...of, value, borrowed: of.borrowed || (of.value.kind === "scalar" && value.kind !== "unresolved") };
  };
  const located = (of: Located): Located => {
    if (of.kind === "mapping") return hasText(of) ? mapping(of) : of;
    if (of.kind === "sequence") return hasText(of) ? { ...of, items: of.items.map(located) } : of;
    return of.kind === "scalar" ? scalar(root, of, STEPS_AT_MOST) : of;
  };
  return mapping(root);
}

function hasText(value: Located): boolean {
  if (value.kind === "mapping") return value.entries.some((entry) => hasText(entry.value));
  if (value.kind === "sequence") return value.items.some(hasText);
  return value.kind === "scalar" && typeof value.value === "string" && LEFT_OPEN.test(value.value);
}

function scalar(root: LocatedMapping, of: Located, steps: number): Located {
  if (of.kind !== "scalar" || typeof of.value !== "string" || !LEFT_OPEN.test(of.value)) return of;
  const unresolved: Located = { kind: "unresolved", range: of.range, why: "interpolation" };
  if (steps === 0) return unresolved;
  const only = new RegExp(`^${PATH.source}$`).exec(of.value);
  if (only?.[1] !== undefined) {
    const target = atPath(root, only[1]);
    return target === null ? unresolved : scalar(root, target, steps - 1);
  }
  let known = true;
  const value = of.value.replace(PATH, (whole, path: string) => {
    const target = atPath(root, path);
    const inner = target === null ? null : scalar(root, target, steps - 1);
    if (inner?.kind === "scalar" && inner.value !== null) return String(inner.value);
    known = false;
    return whole;
  });
  return known && !LEFT_OPEN.test(value) ? { ...of, value } : unresolved;
}

function atPath(root: LocatedMapping, path: string): Located | null {
  let here: Located = root;
  for (const key of path.split(".")) {
    const next: Located | undefined = here.kind === "mapping" ? entryOf(here, key)?.value : undefined;
    if (next === undefined) return null;
    here = next;
  }
  return here;
}
