import { themeColor } from "../../components/theme";
import type { SortKey } from "../../../src/shared/protocol";

export interface PlotColors {
  readonly text: string;
  readonly grid: string;
  readonly background: string;
  readonly sigma: string;
  readonly energy: string;
  readonly edge: string;
  readonly marks: Readonly<Partial<Record<SortKey, string>>>;
}

/** Each line has a pattern of its own too: colour is not the only thing that tells them apart. */
export const MARK_DASHES: Readonly<Partial<Record<SortKey, readonly number[]>>> = {
  stableRank: [6, 3],
  effectiveRank: [],
  "energyRank0.9": [2, 3],
  "energyRank0.95": [2, 3],
  "energyRank0.99": [2, 3],
};
export const EDGE_DASH: readonly number[] = [8, 3, 2, 3];

/** The grid is there to read by, not to be seen. */
const GRID_PERCENT = 14;

/** The theme's colours of charts, as they are now. */
export function plotColors(): PlotColors {
  const quiet = themeColor("descriptionForeground", "foreground");
  return {
    text: themeColor("foreground"),
    grid: `color-mix(in srgb, ${themeColor("foreground")} ${GRID_PERCENT}%, transparent)`,
    background: themeColor("editor-background"),
    sigma: themeColor("charts-blue", "textLink-foreground"),
    energy: themeColor("charts-green", "descriptionForeground"),
    edge: themeColor("charts-red", "errorForeground"),
    marks: {
      stableRank: themeColor("charts-purple", "foreground"),
      effectiveRank: themeColor("charts-orange", "foreground"),
      "energyRank0.9": quiet,
      "energyRank0.95": quiet,
      "energyRank0.99": quiet,
    },
  };
}
