/** A longer name is another name, whatever it shares with this one. */
const LONGEST = 200;

/** Insertions, deletions, replacements and swaps of neighbours that make one text of another (Damerau, restricted). */
export function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) best = Math.min(best, before[j - 2]! + 1);
      row.push(best);
    }
    before = last;
    last = row;
  }
  return last[to.length]!;
}

/**
 * The one name that is meant by another: no more than a third of it differs, and no other name is as near.
 * @returns null where nothing is near, or several are
 */
export function nearestName(name: string, names: Iterable<string>): string | null {
  if (name.length > LONGEST) return null;
  const most = Math.max(1, Math.floor(name.length / 3));
  let nearest: string | null = null;
  let distance = most + 1;
  let tied = false;
  for (const candidate of new Set(names)) {
    if (candidate === name || Math.abs(candidate.length - name.length) > most) continue;
    const d = candidate.toLowerCase() === name.toLowerCase() ? 0 : editDistance(name, candidate);
    if (d > distance || (d === distance && d > most)) continue;
    tied = d === distance;
    distance = d;
    nearest = candidate;
  }
  return tied || distance > most ? null : nearest;
}
