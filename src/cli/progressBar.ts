import type { WriteStream } from "node:tty";
import type { Progress } from "../shared/report";
import { durationText } from "../shared/figures";
import { printable } from "../engine/printable";

const BAR_WIDTH = 20;
const DEFAULT_COLUMNS = 80;
/** Back to the line's start, and clear it. */
const CLEAR_LINE = "\r\u001b[K";

type Shown = Pick<Progress, "done" | "failed" | "total" | "current" | "etaMs">;

/** One line on a terminal's standard error, drawn again with every progress; nothing elsewhere. */
export class ProgressBar {
  private shown = false;

  constructor(private readonly stream: Pick<WriteStream, "write" | "isTTY" | "columns">) {}

  show(progress: Shown): void {
    if (!this.stream.isTTY || progress.total === 0) return;
    // The last column stays empty: terminals wrap a full line.
    this.stream.write(CLEAR_LINE + progressLine(progress, (this.stream.columns || DEFAULT_COLUMNS) - 1));
    this.shown = true;
  }

  /** Work on one layer after another. @param name of the layer that is worked on */
  showLayer(done: number, total: number, name: string): void {
    this.show({ done, failed: 0, total, current: [name], etaMs: null });
  }

  /** A line of its own, wherever the stream leads; the bar comes back with the next progress. */
  say(sentence: string): void {
    this.clear();
    this.stream.write(`ranklens: ${printable(sentence)}\n`);
  }

  clear(): void {
    if (this.shown) this.stream.write(CLEAR_LINE);
    this.shown = false;
  }
}

/** Work with a bar on standard error, which is gone when it ends. */
export async function withProgressBar<T>(work: (bar: ProgressBar) => Promise<T>): Promise<T> {
  const bar = new ProgressBar(process.stderr);
  try {
    return await work(bar);
  } finally {
    bar.clear();
  }
}

/** Exported for its tests: at most `width` characters. */
export function progressLine({ done, failed, total, current, etaMs }: Shown, width: number): string {
  const settled = done + failed;
  const filled = Math.floor((BAR_WIDTH * settled) / total);
  const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
  const eta = etaMs === null ? "" : ` · ${durationText(etaMs)} left`;
  const failures = failed === 0 ? "" : ` · ${failed} failed`;
  const head = `${bar} ${settled}/${total}${failures}${eta}`;
  const name = printable(current[0] ?? "");
  const room = width - head.length - 3;
  if (name === "" || room < 8) return head.slice(0, width);
  return `${head} · ${name.length <= room ? name : `…${name.slice(name.length - room + 1)}`}`;
}
