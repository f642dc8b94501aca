import { Fault } from "../shared/fault";
import { bytesText, countText } from "../shared/figures";
import type { AllocationId, Budget } from "../factorize/propose";

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/**
 * "params:0.6" is a share of the model's; "params:2M" and "bytes:10MiB" are amounts.
 * @throws Fault usage
 */
export function parseBudget(text: string, totals: { readonly params: number; readonly bytes: number }, allocation: AllocationId): Budget {
  const [, unit, figure, suffix = ""] = /^(params|bytes):([0-9.]+)(k|M|G|KiB|MiB|GiB)?$/.exec(text) ?? [];
  const value = Number(figure);
  if ((unit !== "params" && unit !== "bytes") || !(value > 0)) {
    throw new Fault("usage", `"${text}" is no budget.`, "Budgets are params:0.6, params:2M, bytes:0.5 or bytes:10MiB: a share of at most 1, or an amount.");
  }
  const share = suffix === "" && value <= 1;
  return { unit, amount: Math.floor(share ? value * totals[unit] : value * UNITS[suffix]!), allocation };
}

export function budgetWords(unit: Budget["unit"]): (amount: number) => string {
  return unit === "params" ? (amount) => `${countText(amount)} parameters` : bytesText;
}
