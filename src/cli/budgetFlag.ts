import { Fault } from "../shared/fault";
import { bytesText, countText, millisecondsText } from "../shared/figures";
import type { MeasuredLatency } from "../factorize/latency";
import type { AllocationId, Wish } from "../factorize/propose";
import type { MeasuredSensitivity } from "../factorize/sensitivity";

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, ms: 1 };

const WORDS = {
  params: (amount: number) => `${countText(amount)} parameters`,
  bytes: bytesText,
  macs: (amount: number) => `${countText(amount)} multiply-adds`,
  latency: millisecondsText,
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
 * "params:0.6" is a share of the model's; "params:2M", "bytes:10MiB" and "macs:3G" are amounts; "latency:0.8" is a
 * share of the time that the model is measured to take, "latency:12ms" that time.
 * @throws Fault usage
 */
export function parseBudget(text: string): BudgetFlag {
  const [, counted, count, prefix = "", timed, time, ms = ""] = /^(?:(params|bytes|macs):([0-9.]+)(k|M|G|KiB|MiB|GiB)?|(latency):([0-9.]+)(ms)?)$/.exec(text) ?? [];
  const [name, typed, suffix] = timed === undefined ? [counted, count, prefix] : [timed, time, ms];
  const unit = (Object.keys(WORDS) as BudgetUnit[]).find((known) => known === name);
  const value = Number(typed);
  const isShare = suffix === "" && value <= 1;
  const isPart = suffix === "" && !isShare && !Number.isInteger(value);
  if (unit === undefined || !(value > 0) || isPart || (unit === "latency" && suffix === "" && !isShare)) {
    throw new Fault("usage", `"${text}" is no budget.`, "Budgets are params:0.6, params:2M, bytes:0.5, bytes:10MiB, macs:0.5, macs:3G, latency:0.8 or latency:12ms: a share of at most 1, or an amount.");
  }
  return { unit, figure: isShare ? value : value * UNITS[suffix]!, isShare };
}

/** @param total of the whole model, in the budget's unit @param measured for a budget of latency @param sensitivity where it is shared by that */
export function budgetWish({ unit, figure, isShare }: BudgetFlag, total: number, allocation: AllocationId, measured: MeasuredLatency | null, sensitivity: MeasuredSensitivity | null = null): Wish {
  const shared = { allocation, ...(sensitivity === null ? {} : { sensitivity }) };
  if (unit === "latency") {
    if (measured === null) throw new Error("a budget of latency without a measurement");
    return { kind: "latency", measured, budget: { amount: isShare ? figure * total : figure, ...shared } };
  }
  const amount = Math.floor(isShare ? figure * total : figure);
  return unit === "macs" ? { kind: "multiply-adds", budget: { amount, ...shared } } : { kind: "budget", budget: { unit, amount, ...shared } };
}

/** An amount, and the share of the model that it is, rounded up: what is typed from a message is then enough. */
export function budgetWords(unit: BudgetUnit, total: number): (amount: number) => string {
  return (amount) => `${WORDS[unit](amount)} (${Math.ceil(1000 * amount / total - ROUNDING) / 10} %)`;
}

/** Of a thousandth: shares that were typed come back as they were. */
const ROUNDING = 1e-6;
