import { Fault } from "../shared/fault";
import { areFinite } from "../models/finite";
import type { Values } from "../models/model";

/** @throws Fault not-finite, with how many values are not */
export function assertFinite(values: Values, title: string): void {
  if (areFinite(values)) return;
  let [nan, infinite] = [0, 0];
  for (const value of values) {
    if (Number.isNaN(value)) nan++;
    else if (!Number.isFinite(value)) infinite++;
  }
  const kinds = [nan > 0 ? `${nan} NaN` : "", infinite > 0 ? `${infinite} infinite` : ""].filter((text) => text !== "").join(" and ");
  throw new Fault(
    "not-finite",
    `${title} holds ${kinds} among its ${values.length} values: it has no singular values.`,
    "The training diverged or the file is damaged: use an earlier checkpoint.",
  );
}
