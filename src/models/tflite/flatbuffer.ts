import type { Cursor, PagedBytes } from "../pagedBytes";

/**
 * Reads FlatBuffers (flatbuffers.dev/internals) from a file, piece by piece, each checked to lie inside it. The format's own
 * library for JavaScript wants the whole file in memory and has no verifier: it reads past the end as if there were zeros.
 */

/** A table: its fields by number, where the file has them. */
export interface Table {
  /** Where it begins in the file. */
  readonly at: number;
  /** Places of its fields from `at`; 0 is left out. */
  readonly fields: readonly number[];
  readonly body: Cursor;
}

/** A list: where its first element begins. */
export interface List {
  readonly at: number;
  readonly length: number;
}

const NO_LIST: List = { at: 0, length: 0 };

export async function rootTable(file: PagedBytes): Promise<Table> {
  return tableAt(file, (await file.cursor(0, 4)).u32());
}

async function tableAt(file: PagedBytes, at: number): Promise<Table> {
  const scheme = at - (await file.cursor(at, 4)).i32();
  if (scheme < 0) throw file.damaged("a table whose scheme is outside of the file", at);
  const head = await file.cursor(scheme, 4);
  const bytes = head.u16(), size = head.u16();
  const list = await file.cursor(scheme, Math.max(4, bytes));
  list.skip(4);
  const fields = Array.from({ length: Math.floor(list.left / 2) }, () => list.u16());
  return { at, fields, body: await file.cursor(at, Math.max(4, size)) };
}

/** The field's own bytes, of a scalar; null where it is left out. */
export function field(table: Table, number: number): Cursor | null {
  const place = table.fields[number] ?? 0;
  if (place === 0) return null;
  table.body.at = place;
  return table.body;
}

/** Where a field's table, list or text begins; null where it is left out. */
function target(table: Table, number: number): number | null {
  const place = field(table, number);
  return place === null ? null : table.at + place.at + place.u32();
}

export async function childTable(file: PagedBytes, table: Table, number: number): Promise<Table | null> {
  const at = target(table, number);
  return at === null ? null : tableAt(file, at);
}

/** @param most elements that are believed */
export async function childList(file: PagedBytes, table: Table, number: number, most: number): Promise<List> {
  const at = target(table, number);
  if (at === null) return NO_LIST;
  const length = (await file.cursor(at, 4)).u32();
  if (length > most) throw file.damaged(`a list of ${length} elements`, at);
  return { at: at + 4, length };
}

export async function childTables(file: PagedBytes, table: Table, number: number, most: number): Promise<readonly Table[]> {
  const list = await childList(file, table, number, most);
  const offsets = await file.cursor(list.at, list.length * 4);
  const tables: Table[] = [];
  for (let index = 0; index < list.length; index++) tables.push(await tableAt(file, list.at + index * 4 + offsets.u32()));
  return tables;
}

/** Numbers of 4 or 8 bytes. */
export async function childNumbers(file: PagedBytes, table: Table, number: number, most: number, kind: "i32" | "f32" | "i64"): Promise<readonly number[]> {
  const { at, length } = await childList(file, table, number, most);
  const values = await file.cursor(at, length * (kind === "i64" ? 8 : 4));
  return Array.from({ length }, () => values[kind]());
}

/** Longest text, in bytes: TensorFlow's converter joins the names of all that it made one of. */
const LONGEST_TEXT = 1024 * 1024;

export async function childText(file: PagedBytes, table: Table, number: number): Promise<string> {
  const { at, length } = await childList(file, table, number, LONGEST_TEXT);
  return new TextDecoder().decode((await file.cursor(at, length)).slice(length));
}
