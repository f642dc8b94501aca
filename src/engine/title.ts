import type { LayerRow } from "../shared/report";

/** "encoder.weight (q)": a row's name for a person, unique within its model together with the unfolding. */
export function titleOf(row: Pick<LayerRow, "name" | "part" | "unfolding">): string {
  const detail = [row.part, row.unfolding === "spatial" ? "spatial unfolding" : null].filter((text) => text !== null);
  return detail.length === 0 ? row.name : `${row.name} (${detail.join(", ")})`;
}
