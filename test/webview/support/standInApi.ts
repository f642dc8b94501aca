import type { PageToHost } from "../../../src/shared/page";
import type { LayerRow, Progress } from "../../../src/shared/report";

/** How a test drives the stand-in for the editor: the page's global `standIn`. */
export interface StandIn {
  /** What the page asked for, oldest first. */
  readonly requests: readonly PageToHost[];
  readonly showTheme: (name: string) => void;
  /** Rows [0, count) are measured from now on; the page is not told. */
  readonly measureTo: (count: number) => void;
  readonly setRow: (id: number, changes: Partial<LayerRow>) => void;
  /** A progress message, with counts of what is measured. */
  readonly tell: (changes: Partial<Progress>) => void;
  /** What `open` will say from now on, without a message: as if it had been lost. */
  readonly become: (changes: Partial<Progress>) => void;
  /** All results are forgotten, and the page is told that the model changed. */
  readonly forgetAll: () => void;
  /** A model that could not be opened can be. */
  readonly repair: () => void;
}
