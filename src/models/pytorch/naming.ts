import type { FoundTensor } from "./walk";

/** A tensor under the name that a state dict would give it. */
export interface NamedTensor extends FoundTensor {
  readonly name: string;
  /** Why it is no weight, by where it is; null when nothing says so. */
  readonly aside: string | null;
}

/** Parts of a checkpoint that hold no weights, by their keys. */
const ASIDE: readonly (readonly [RegExp, string])[] = [
  [/^(?:\w+_)?optim(?:izer)?s?(?:_\w+)?$/i, "state of an optimizer: not a weight"],
  [/^(?:\w+_)?(?:lr_)?schedulers?(?:_\w+)?$/i, "state of a schedule: not a weight"],
  [/^(?:\w+_)?(?:rng|random)_?states?(?:_\w+)?$/i, "state of a random number generator: not a weight"],
  [/^(?:amp|(?:grad_|loss_)?scaler)(?:_\w+)?$/i, "state of a loss scaler: not a weight"],
  [/^(?:loops|callbacks)$/, "state of the training loop: not a weight"],
];
/** Keys are parts of a checkpoint at its top only; below are modules. */
const DEEPEST_PART = 2;

/** Keys under which checkpoints keep the model; one that holds all weights is no part of their names. */
const HOLDERS = /^(?:(?:model_|net_|network_|module_)?state_?dict|model|module|net|network|weights?|params|parameters|checkpoint|ckpt|state|generator|ema|(?:model|state_dict|params)_ema|learner)$/i;
const MOST_HOLDERS = 3;

/** Where quantized modules keep their weight and bias, as a pair. */
const PACKED = /\._packed_params(?:\._packed_params)?\.([01])$/;

/** Names for all tensors, and the keys that were left out of them. */
export function nameTensors(found: readonly FoundTensor[]): { named: NamedTensor[]; holders: string[] } {
  const asides = found.map(({ path }) => asideOf(path));
  const holders = holdersOf(found.filter((_, index) => asides[index] === null));
  const named = found.map((one, index): NamedTensor => {
    const aside = asides[index] ?? null;
    const path = aside === null ? one.path.slice(holders.length) : one.path;
    const name = path.join(".").replace(PACKED, (_, which: string) => (which === "0" ? ".weight" : ".bias"));
    return { ...one, name: name === "" ? "(unnamed tensor)" : name, aside };
  });
  return { named, holders };
}

function asideOf(path: readonly string[]): string | null {
  for (const step of path.slice(0, DEEPEST_PART)) {
    const part = ASIDE.find(([pattern]) => pattern.test(step));
    if (part !== undefined) return part[1];
  }
  return null;
}

/** Keys at the top that all weights have in common and that only say "the model". */
function holdersOf(weights: readonly FoundTensor[]): string[] {
  const first = weights[0]?.path;
  if (first === undefined) return [];
  const holders: string[] = [];
  for (const step of first.slice(0, MOST_HOLDERS)) {
    const depth = holders.length;
    if (!HOLDERS.test(step) || !weights.every(({ path }) => path[depth] === step && path.length > depth + 1)) break;
    holders.push(step);
  }
  return holders;
}
