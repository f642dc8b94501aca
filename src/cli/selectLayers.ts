import picomatch from "picomatch";
import { Fault } from "../shared/fault";
import type { LayerRow } from "../shared/report";

/** Names suggested when nothing matches. */
const SUGGESTIONS = 3;

/**
 * Rows whose layer's name matches one of the patterns; all without patterns. `*` crosses `.` and `/`, and a
 * name itself always matches, whatever it holds.
 * @throws Fault not-found when nothing matches
 */
export function selectLayers(rows: readonly LayerRow[], patterns: readonly string[]): (id: number) => boolean {
  if (patterns.length === 0) return () => true;
  const matches = picomatch([...patterns], { bash: true, dot: true, nonegate: true });
  const literal = new Set(patterns);
  const ids = new Set(rows.filter(({ name }) => literal.has(name) || matches(name)).map(({ id }) => id));
  if (ids.size === 0) throw noMatch(rows, patterns);
  return (id) => ids.has(id);
}

function noMatch(rows: readonly LayerRow[], patterns: readonly string[]): Fault {
  const names = [...new Set(rows.map(({ name }) => name))];
  const likeness = (name: string): number => Math.max(...patterns.map((pattern) => similarity(pattern.replace(/[*?{}[\]()!]/g, ""), name)));
  const close = names.map((name) => ({ name, likeness: likeness(name) })).sort((a, b) => b.likeness - a.likeness).slice(0, SUGGESTIONS);
  const next = close.length === 0 ? "The model has no layers to measure." : `Close names: ${close.map(({ name }) => name).join(", ")}.`;
  return new Fault("not-found", `None of ${names.length} layers matches ${patterns.map((pattern) => `"${pattern}"`).join(" or ")}.`, next);
}

/** Dice's coefficient over pairs of letters: 2·|common| / (|a| + |b|). */
function similarity(a: string, b: string): number {
  const [x, y] = [pairs(a), pairs(b)];
  if (x.size + y.size === 0) return 0;
  return (2 * [...x].filter((pair) => y.has(pair)).length) / (x.size + y.size);
}

function pairs(text: string): Set<string> {
  const lower = text.toLowerCase();
  return new Set(Array.from({ length: Math.max(0, lower.length - 1) }, (_, index) => lower.slice(index, index + 2)));
}
