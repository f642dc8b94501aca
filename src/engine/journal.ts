import { createHash } from "node:crypto";
import { open, utimes, type FileHandle } from "node:fs/promises";
import type { PlainFault } from "../shared/fault";
import { fullRank } from "../shared/fullRank";
import type { FirstFigures, LayerRow } from "../shared/report";
import { areFirstFigures, areMeasures, isObject, type RowOutcome, type RowResult } from "./results";

/** Hexadecimal digits of the SHA-256 that guards each line. */
const CHECK_LENGTH = 8;
/** The closing record of a run is far shorter than this. */
const TAIL_BYTES = 4096;

/** The end of a run over the model; the last one says whether anything is left. */
export interface RunRecord {
  readonly ms: number;
  readonly complete: boolean;
  /** Of the layers measured; null when there are none. */
  readonly meanUtilization: number | null;
}

export interface JournalContent {
  readonly outcomes: ReadonlyMap<number, RowOutcome>;
  /** Wall time of all runs, milliseconds. */
  readonly runMs: number;
}

/**
 * The results of one model, one line each, appended as rows finish.
 *
 * Records are written by single writes to a file opened for appending, each between two line feeds and behind a
 * checksum: processes that write at once do not mix their lines, and a line that a kill or a full disk has torn
 * costs itself only. A later record of a row replaces an earlier one (first figures replace
 * nothing); a record that does not fit its row is ignored.
 */
export class Journal {
  private readonly waiting: string[] = [];
  private flushing: Promise<void> | null = null;

  constructor(readonly path: string) {}

  /** Outcomes that fit the rows of the model. A journal that does not exist is empty. Marks it as used. */
  async load(rows: readonly LayerRow[]): Promise<JournalContent> {
    const outcomes = new Map<number, RowOutcome>();
    let runMs = 0;
    const handle = await open(this.path, "r").catch(() => null);
    if (handle === null) return { outcomes, runMs };
    for await (const line of linesOf(handle)) {
      const record = parseLine(line);
      if (record === null) continue;
      if (isObject(record.run)) runMs += typeof record.run.ms === "number" ? record.run.ms : 0;
      const row = typeof record.row === "number" ? rows[record.row] : undefined;
      if (row === undefined || !fits(record, row)) continue;
      const outcome = outcomeOf(record, row);
      if (outcome !== null && !("first" in outcome && outcomes.has(row.id))) outcomes.set(row.id, outcome);
    }
    await this.touch();
    return { outcomes, runMs };
  }

  /** The last run's closing record, without reading the rest; null when the journal does not end with one. */
  async lastRun(): Promise<RunRecord | null> {
    const handle = await open(this.path, "r").catch(() => null);
    if (handle === null) return null;
    try {
      const { size } = await handle.stat();
      const length = Math.min(size, TAIL_BYTES);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
      const last = buffer.toString("utf8", 0, bytesRead).trimEnd().split("\n").at(-1) ?? "";
      const run = parseLine(last)?.run;
      if (!isObject(run) || typeof run.ms !== "number") return null;
      return { ms: run.ms, complete: run.complete === true, meanUtilization: typeof run.meanUtilization === "number" ? run.meanUtilization : null };
    } finally {
      await handle.close();
    }
  }

  async appendResult(row: LayerRow, { measures, singularValues, readMs, computeMs }: RowResult): Promise<void> {
    await this.append({ ...identity(row), measures, readMs, computeMs, spectrum: encode(singularValues) });
  }

  async appendFirst(row: LayerRow, first: FirstFigures): Promise<void> {
    await this.append({ ...identity(row), first });
  }

  async appendFault(row: LayerRow, fault: PlainFault): Promise<void> {
    await this.append({ ...identity(row), fault });
  }

  async appendRun(run: RunRecord): Promise<void> {
    await this.append({ run });
  }

  /** Resolves when the record is in the file. Records that come while one is being written go together in the next write. */
  private append(record: object): Promise<void> {
    const json = JSON.stringify(record);
    this.waiting.push(`\n${check(json)} ${json}\n`);
    this.flushing ??= this.flush();
    return this.flushing;
  }

  private async flush(): Promise<void> {
    try {
      while (this.waiting.length > 0) {
        const lines = Buffer.from(this.waiting.splice(0).join(""));
        const handle = await open(this.path, "a");
        await handle.write(lines).finally(() => handle.close());
      }
    } finally {
      this.flushing = null;
    }
  }

  /** The modification time says when a journal was last used. */
  private async touch(): Promise<void> {
    const now = new Date();
    await utimes(this.path, now, now).catch(() => undefined);
  }
}

function identity(row: LayerRow): object {
  return { row: row.id, name: row.name, part: row.part, unfolding: row.unfolding, matrix: row.matrix };
}

function fits(record: Record<string, unknown>, row: LayerRow): boolean {
  const { name, part, unfolding, matrix } = record;
  return (
    name === row.name && part === row.part && unfolding === row.unfolding &&
    Array.isArray(matrix) && matrix[0] === row.matrix[0] && matrix[1] === row.matrix[1]
  );
}

function outcomeOf(record: Record<string, unknown>, row: LayerRow): RowOutcome | null {
  const { fault, first, measures, spectrum, readMs, computeMs } = record;
  if (areFirstFigures(first)) return { first };
  if (isObject(fault)) return { fault: fault as unknown as PlainFault };
  if (!areMeasures(measures) || typeof spectrum !== "string" || typeof readMs !== "number" || typeof computeMs !== "number") return null;
  const singularValues = decode(spectrum);
  if (singularValues.length !== fullRank(row)) return null;
  return { result: { measures, singularValues, readMs, computeMs } };
}

function parseLine(line: string): Record<string, unknown> | null {
  const json = line.slice(CHECK_LENGTH + 1);
  if (json === "" || line.slice(0, CHECK_LENGTH) !== check(json)) return null;
  try {
    const record: unknown = JSON.parse(json);
    return isObject(record) ? record : null;
  } catch {
    return null;
  }
}

function check(json: string): string {
  return createHash("sha256").update(json).digest("hex").slice(0, CHECK_LENGTH);
}

function encode(values: Float64Array): string {
  const bytes = Buffer.alloc(values.length * Float64Array.BYTES_PER_ELEMENT);
  values.forEach((value, index) => bytes.writeDoubleLE(value, index * Float64Array.BYTES_PER_ELEMENT));
  return bytes.toString("base64");
}

function decode(text: string): Float64Array {
  const bytes = Buffer.from(text, "base64");
  return Float64Array.from({ length: Math.floor(bytes.length / Float64Array.BYTES_PER_ELEMENT) }, (_, index) =>
    bytes.readDoubleLE(index * Float64Array.BYTES_PER_ELEMENT));
}

/** Closes the handle at the end. A last line without its line feed is torn, and left out. */
async function* linesOf(handle: FileHandle): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of handle.createReadStream({ encoding: "utf8" }) as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
