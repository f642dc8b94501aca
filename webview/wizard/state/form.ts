import type { Draft, DraftWish, Lock, PlanningChoices, PlanningLayer, Preset } from "../../../src/shared/planning";

/** What a person has chosen for a model. The page remembers it; proposals are asked for anew. */
export interface Form {
  readonly as: string;
  readonly scheme: string;
  /** null until the model's size is known. */
  readonly wish: DraftWish | null;
  readonly included: readonly string[];
  readonly excluded: readonly string[];
  readonly locks: Readonly<Record<string, Lock>>;
  /** Absolute path; empty: beside the source. */
  readonly output: string;
  /** Check the model after it is written. */
  readonly check: boolean;
  /** File of inputs; null: seeded ones. */
  readonly data: string | null;
  /** Last request of the window that the form took up, see `WizardTarget.asked`. */
  readonly asked: number;
}

export const NEW_FORM: Form = { as: "factored", scheme: "auto", wish: null, included: [], excluded: [], locks: {}, output: "", check: true, data: null, asked: -1 };

const DEFAULT_PRESET = "balanced";

/** A remembered form, each field checked: it may come from another version of the page. */
export function formFrom(saved: unknown): Form {
  if (!isRecord(saved)) return NEW_FORM;
  const { as, scheme, wish, included, excluded, locks, output, check, data, asked } = saved;
  return {
    as: typeof as === "string" ? as : NEW_FORM.as,
    scheme: typeof scheme === "string" ? scheme : NEW_FORM.scheme,
    wish: isWish(wish) ? wish : null,
    included: names(included), excluded: names(excluded),
    locks: isRecord(locks) ? Object.fromEntries(Object.entries(locks).filter((entry): entry is [string, Lock] => isLock(entry[1]))) : {},
    output: typeof output === "string" ? output : "",
    check: check !== false,
    data: typeof data === "string" ? data : null,
    asked: typeof asked === "number" ? asked : -1,
  };
}

/** null while the model's size is not known. */
export function draftOf({ as, scheme, wish, included, excluded, locks }: Form): Draft | null {
  return wish === null ? null : { as, scheme, wish, included, excluded, locks };
}

/** A preset's scheme and wish; a budget's share becomes an amount of this model. */
export function presetChanges(preset: Preset, choices: PlanningChoices): Pick<Form, "scheme" | "wish"> {
  const { scheme, wish } = preset;
  if (wish.kind === "rule") return { scheme, wish };
  const total = choices.units.find(({ id }) => id === wish.unit)?.total ?? 0;
  return { scheme, wish: { ...wish, amount: Math.floor(wish.amount * total) } };
}

/** Fills in what depends on the model: the first wish, and choices that it does not have. */
export function completed(form: Form, choices: PlanningChoices): Form {
  const preset = choices.presets.find(({ id }) => id === DEFAULT_PRESET) ?? choices.presets[0];
  const has = (list: readonly { readonly id: string }[], id: string): boolean => list.some((choice) => choice.id === id);
  const kept = form.wish !== null && (form.wish.kind === "rule" || (has(choices.units, form.wish.unit) && has(choices.allocations, form.wish.allocation)));
  return {
    ...form,
    scheme: has(choices.schemes, form.scheme) ? form.scheme : "auto",
    ...(kept || preset === undefined ? {} : presetChanges(preset, choices)),
  };
}

/** Only these layers: the others are excluded, and those that are off by default taken. */
export function onlyLayers(layers: readonly PlanningLayer[], only: readonly string[]): Pick<Form, "included" | "excluded"> {
  const wanted = new Set(only);
  const possible = layers.filter(({ refusal }) => refusal === null);
  return {
    included: possible.filter(({ name, offReason }) => wanted.has(name) && offReason !== null).map(({ name }) => name),
    excluded: possible.filter(({ name }) => !wanted.has(name)).map(({ name }) => name),
  };
}

/** Whether the form takes a layer. */
export function isTaken(form: Form, { name, refusal, offReason }: PlanningLayer): boolean {
  return refusal === null && !form.excluded.includes(name) && (offReason === null || form.included.includes(name));
}

/** The form with layers taken or left out. */
export function withLayers(form: Form, layers: readonly PlanningLayer[], taken: boolean): Pick<Form, "included" | "excluded"> {
  const changed = new Set(layers.map(({ name }) => name));
  const excluded = form.excluded.filter((name) => !changed.has(name));
  const included = form.included.filter((name) => !changed.has(name));
  const off = layers.filter(({ offReason }) => offReason !== null).map(({ name }) => name);
  const on = layers.filter(({ offReason }) => offReason === null).map(({ name }) => name);
  return taken ? { excluded, included: [...included, ...off] } : { excluded: [...excluded, ...on], included };
}

function isWish(value: unknown): value is DraftWish {
  if (!isRecord(value)) return false;
  if (value["kind"] === "rule") return typeof value["rule"] === "string";
  return value["kind"] === "budget" && typeof value["unit"] === "string" && typeof value["amount"] === "number" && typeof value["allocation"] === "string";
}

function isLock(value: unknown): value is Lock {
  return isRecord(value) && (value["scheme"] === null || typeof value["scheme"] === "string") && Array.isArray(value["ranks"]) && value["ranks"].every((rank) => typeof rank === "number");
}

function names(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
