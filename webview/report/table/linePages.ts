import type { RowsPage, RowsQuery, TableLine } from "../../../src/shared/protocol";

export type LinesQuery = Pick<RowsQuery, "sort" | "filter" | "open">;
type FetchPage = (query: RowsQuery) => Promise<RowsPage>;

/** Lines of one request: about two screens. */
const PAGE = 64;
/** Pages kept while a person scrolls; those farthest from the screen go first. */
const KEPT = 40;

interface Page {
  readonly lines: readonly TableLine[];
  /** The question it answers is the present one. */
  fresh: boolean;
}

/**
 * The lines of the table that the page holds: what is on the screen and around it. The engine owns the rest.
 * Lines of before stay in view until the new ones are there, so that nothing flickers.
 */
export class LinePages {
  private pages = new Map<number, Page>();
  private readonly inFlight = new Map<number, number>();
  /** Counts questions: answers to earlier ones are dropped. */
  private question = 0;
  private visible = { start: 0, end: 0 };
  private query: LinesQuery;
  /** Lines after filter and folding; null until the first answer. */
  total: number | null = null;
  /** Layers before filtering. */
  layers = 0;

  /**
   * @param fetchPage asks the engine
   * @param onChange told when lines came
   * @param onFault told why lines did not come
   */
  constructor(query: LinesQuery, private readonly fetchPage: FetchPage, private readonly onChange: () => void, private readonly onFault: (error: unknown) => void) {
    this.query = query;
  }

  line(index: number): TableLine | undefined {
    return this.pages.get(Math.floor(index / PAGE))?.lines[index % PAGE];
  }

  /** The line of a row among those that are held. */
  indexOf(id: number, depth: 0 | 1): number | null {
    for (const [number, { lines }] of this.pages) {
      const at = lines.findIndex((line) => line.row.id === id && line.depth === depth);
      if (at >= 0) return number * PAGE + at;
    }
    return null;
  }

  /** Another sort, filter or folding. */
  ask(query: LinesQuery): void {
    if (query === this.query) return;
    this.query = query;
    this.refresh();
  }

  /** The same question again: measures may have come. */
  refresh(): void {
    this.question++;
    for (const page of this.pages.values()) page.fresh = false;
    this.fetchMissing();
  }

  /** What is on the screen, with a margin: lines [start, end). */
  show(start: number, end: number): void {
    this.visible = { start, end };
    this.fetchMissing();
  }

  private fetchMissing(): void {
    const last = Math.floor(Math.max(0, Math.min(this.visible.end, this.total ?? Infinity) - 1) / PAGE);
    for (let number = Math.floor(this.visible.start / PAGE); number <= last; number++) {
      if (this.pages.get(number)?.fresh !== true && this.inFlight.get(number) !== this.question) void this.fetch(number);
    }
  }

  private async fetch(number: number): Promise<void> {
    const { question } = this;
    this.inFlight.set(number, question);
    try {
      const answer = await this.fetchPage({ ...this.query, start: number * PAGE, end: (number + 1) * PAGE });
      if (question === this.question) this.take(number, answer);
    } catch (error) {
      if (question === this.question) this.onFault(error);
    } finally {
      if (this.inFlight.get(number) === question) this.inFlight.delete(number);
    }
  }

  private take(number: number, { lines, total, layers }: RowsPage): void {
    this.pages.set(number, { lines, fresh: true });
    this.total = total;
    this.layers = layers;
    const last = Math.ceil(total / PAGE) - 1;
    for (const known of this.pages.keys()) if (known > last) this.pages.delete(known);
    this.dropFarthest();
    this.onChange();
  }

  private dropFarthest(): void {
    const middle = (this.visible.start + this.visible.end) / 2 / PAGE;
    while (this.pages.size > KEPT) {
      let farthest = -1;
      for (const known of this.pages.keys()) if (farthest < 0 || Math.abs(known - middle) > Math.abs(farthest - middle)) farthest = known;
      this.pages.delete(farthest);
    }
  }
}
