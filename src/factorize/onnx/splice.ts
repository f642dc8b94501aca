import { header } from "./encode";
import type { Placed } from "./scan";

/** Bytes [start, end) of the file become `bytes`; `around` are the messages whose lengths change with them, outermost first. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
  readonly around: readonly Placed[];
}

/** A piece of the new file: bytes of the old one, or new ones. */
export type Piece = { readonly start: number; readonly end: number } | { readonly bytes: Uint8Array };

/**
 * The new file in pieces: all edits, and the lengths of the messages around them; every other byte is the old file's.
 * @param size of the old file
 * @throws Error when edits overlap: a defect of whoever made them
 */
export function spliced(edits: readonly Edit[], size: number): Piece[] {
  const sorted = withLengths(edits).sort((a, b) => a.start - b.start || a.end - b.end);
  const pieces: Piece[] = [];
  let at = 0;
  for (const { start, end, bytes } of sorted) {
    if (start < at) throw new Error(`edits overlap at byte ${start}`);
    if (start > at) pieces.push({ start: at, end: start });
    if (bytes.length > 0) pieces.push({ bytes });
    at = end;
  }
  if (at < size) pieces.push({ start: at, end: size });
  return pieces;
}

/** Innermost messages first, so that each sees what the lengths inside it have grown by. */
function withLengths(edits: readonly Edit[]): Edit[] {
  const around = new Map<number, Placed>();
  for (const edit of edits) for (const place of edit.around) around.set(place.at, place);
  const all: Edit[] = [...edits];
  for (const place of [...around.values()].sort((a, b) => b.around.length - a.around.length)) {
    // A message that is replaced whole needs no new length.
    if (edits.some(({ start, end }) => start <= place.at && end >= place.end && end > start)) continue;
    const growth = all.reduce((sum, edit) => (edit.around.some(({ at }) => at === place.at) ? sum + edit.bytes.length - (edit.end - edit.start) : sum), 0);
    all.push({ start: place.at, end: place.start, bytes: header(place.number, place.end - place.start + growth), around: place.around });
  }
  return all;
}
