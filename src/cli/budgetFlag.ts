import { Fault } from "../shared/fault";
import { bytesText, countText } from "../shared/figures";
import type { AllocationId, Wish } from "../factorize/propose";

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

const WORDS = {
  params: (amount: number) => `${countText(amount)} parameters`,
  bytes: bytesText,
  macs: (amount: number) => `${countText(amount)} multiply-adds`,
} as const;
export type BudgetUnit = keyof typeof WORDS;

/** A budget as it was typed. */
export interface BudgetFlag {
  readonly unit: BudgetUnit;
  /** In the unit, or a share of what the whole model has. */
  readonly figure: number;
  readonly isShare: boolean;
}

/**
 * "params:0.6" is a share of the model's; "params:2M", "bytes:10MiB" and "macs:3G" are amounts.
 * @throws Fault usage
 */
export function parseBudget(text: string): BudgetFlag {
  const [, name, typed, suffix = ""] = /^(params|bytes|macs):([0-9.]+)(k|M|G|KiB|MiB|GiB)?$/.exec(text) ?? [];
  const unit = (Object.keys(WORDS) as BudgetUnit[]).find((known) => known === name);
  const value = Number(typed);
  if (unit === undefined || !(value > 0)) {
    throw new Fault("usage", `"${text}" is no budget.`, "Budgets are params:0.6, params:2M, bytes:0.5, bytes:10MiB, macs:0.5 or macs:3G: a share of at most 1, or an amount.");
  }
  const isShare = suffix === "" && value <= 1;
  return { unit, figure: isShare ? value : value * UNITS[suffix]!, isShare };
}

/** @param total of the whole model, in the budget's unit */
export function budgetWish({ unit, figure, isShare }: BudgetFlag, total: number, allocation: AllocationId): Wish {
  const amount = Math.floor(isShare ? figure * total : figure);
  return unit === "macs" ? { kind: "multiply-adds", budget: { amount, allocation } } : { kind: "budget", budget: { unit, amount, allocation } };
}

export function budgetWords(unit: BudgetUnit): (amount: number) => string {
  return WORDS[unit];
}
