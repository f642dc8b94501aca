import type { Setting } from "../config";
import { entryOf, type Located, type LocatedEntry, type LocatedMapping } from "../documents/located";

/** Neither written nor given a default. */
export const ABSENT: Setting<never> = { value: null, node: null, entry: null };

/** Left to the ecosystem. */
export function byDefault<T>(value: T | null): Setting<T> {
  return { value, node: null, entry: null };
}

/**
 * Reads a key's value.
 * @param take what a value means, or null where it is of another kind; a written null is taken for absence
 * @param fallback the ecosystem's default
 */
export function setting<T>(mapping: LocatedMapping, key: string, take: (value: Located) => T | null, fallback: T | null = null): Setting<T> {
  const entry = entryOf(mapping, key);
  if (entry === null) return mapping.completeness === "whole" ? byDefault(fallback) : { value: null, node: mapping, entry: null };
  return ofEntry(entry, take, fallback);
}

function ofEntry<T>(entry: LocatedEntry, take: (value: Located) => T | null, fallback: T | null): Setting<T> {
  const node = entry.value;
  if (node.kind === "scalar" && node.value === null) return byDefault(fallback);
  return { value: take(node), node, entry };
}

/** The first of several spellings that is written. */
export function firstOf<T>(keys: readonly string[], mapping: LocatedMapping, read: (mapping: LocatedMapping, key: string) => Setting<T>): Setting<T> {
  const key = keys.find((name) => entryOf(mapping, name) !== null) ?? keys[0]!;
  return read(mapping, key);
}

export function numberSetting(mapping: LocatedMapping, key: string, fallback: number | null = null): Setting<number> {
  return setting(mapping, key, numberOf, fallback);
}

export function stringSetting(mapping: LocatedMapping, key: string, fallback: string | null = null): Setting<string> {
  return setting(mapping, key, (value) => (value.kind === "scalar" && typeof value.value === "string" ? value.value : null), fallback);
}

export function booleanSetting(mapping: LocatedMapping, key: string, fallback: boolean | null = false): Setting<boolean> {
  return setting(mapping, key, booleanOf, fallback);
}

/** One number, or a list of them. */
export function numbersSetting(mapping: LocatedMapping, key: string): Setting<readonly number[]> {
  return setting(mapping, key, (value) => listOf(value, numberOf));
}

/** One string, or a list of them. */
export function stringsSetting(mapping: LocatedMapping, key: string): Setting<readonly string[]> {
  return setting(mapping, key, (value) => listOf(value, (item) => (item.kind === "scalar" && typeof item.value === "string" ? item.value : null)));
}

/** Numbers that are written as text count too: `1e-4` is one to PyYAML. */
export function numberOf(value: Located): number | null {
  if (value.kind !== "scalar") return null;
  if (typeof value.value === "number") return value.value;
  const number = typeof value.value === "string" && value.value.trim() !== "" ? Number(value.value) : NaN;
  return Number.isFinite(number) ? number : null;
}

export function booleanOf(value: Located): boolean | null {
  if (value.kind !== "scalar") return null;
  if (typeof value.value === "boolean") return value.value;
  return typeof value.value === "string" && /^(?:true|false)$/i.test(value.value) ? value.value.toLowerCase() === "true" : null;
}

function listOf<T>(value: Located, take: (item: Located) => T | null): readonly T[] | null {
  const items = value.kind === "sequence" ? value.items : [value];
  const taken = items.map(take);
  return taken.every((item) => item !== null) ? taken : null;
}

/** Whether a switch is on; false where only a run tells. */
export function isOn(mapping: LocatedMapping, key: string): boolean {
  return booleanSetting(mapping, key).value === true;
}

export function has(mapping: LocatedMapping, ...keys: readonly string[]): boolean {
  return keys.every((key) => entryOf(mapping, key) !== null);
}
