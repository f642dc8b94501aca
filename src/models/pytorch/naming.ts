import type { FoundTensor } from "./walk";

/** A tensor under the name that a state dict would give it. */
export interface NamedTensor extends FoundTensor {
  readonly name: string;
  /** Why it is no weight, by where it is; null when nothing says so. */
  readonly aside: string | null;
}

const OPTIMIZER = "state of an optimizer: not a weight";
/** Parts of a checkpoint that hold no weights, by their keys. */
const ASIDE: readonly (readonly [RegExp, string])[] = [
  [/^(?:\w+_)?opt(?:im(?:izer)?s?)?(?:_\w+)?$/i, OPTIMIZER],
  [/^(?:\w+_)?(?:lr_)?schedulers?(?:_\w+)?$/i, "state of a schedule: not a weight"],
  [/^(?:\w+_)?(?:rng|random)_?states?(?:_\w+)?$/i, "state of a random number generator: not a weight"],
  [/^(?:amp|(?:grad_|loss_)?scaler)(?:_\w+)?$/i, "state of a loss scaler: not a weight"],
  [/^(?:hyper_?param(?:eter)?s|hparams|args|config)$/i, "a setting of the training: not a weight"],
  [/^(?:loops|callbacks)$/, "state of the training loop: not a weight"],
];
/** Keys are parts of a checkpoint at its top only; below are modules. */
const DEEPEST_PART = 2;

/** Keys under which checkpoints keep the model; one that holds all matrices is no part of their names. */
const HOLDERS = /^(?:(?:model_|net_|network_|module_)?state_?dict|model|module|net|network|weights?|params|parameters|checkpoint|ckpt|state|generator|ema|(?:model|state_dict|params)_ema|learner)$/i;
const MOST_HOLDERS = 3;

/** Where quantized modules keep their weight and bias, as a pair. */
const PACKED = /(?:\._packed_params){1,2}(?:\.state(?:\.0)?)?\.([01])$/;

/** Names for all tensors, and the keys that were left out of them. */
export function nameTensors(found: readonly FoundTensor[]): { named: NamedTensor[]; holders: string[] } {
  const asides = found.map(asideOf);
  // Losses and scores stand beside a model, and are no matrices.
  const holders = holdersOf(found.filter(({ tensor: { shape } }, index) => asides[index] === null && shape.length > 1));
  const named = found.map((one, index): NamedTensor => {
    const aside = asides[index] ?? null;
    const isHeld = aside === null && holders.every((holder, depth) => one.path[depth] === holder);
    const path = isHeld ? one.path.slice(holders.length) : one.path;
    const name = clippedName(path.join(".")).replace(PACKED, (_, which: string) => (which === "0" ? ".weight" : ".bias"));
    return { ...one, name: name === "" ? "(unnamed tensor)" : name, aside };
  });
  return { named, holders };
}

/** Longest name; longer ones lose their middle. */
const LONGEST_NAME = 2000;

function clippedName(name: string): string {
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME / 2)}…${name.slice(-LONGEST_NAME / 2)}`;
}

function asideOf({ path, isOptimizers }: FoundTensor): string | null {
  if (isOptimizers) return OPTIMIZER;
  for (const step of path.slice(0, DEEPEST_PART)) {
    const part = ASIDE.find(([pattern]) => pattern.test(step));
    if (part !== undefined) return part[1];
  }
  return null;
}

/** Keys at the top that all matrices have in common and that only say "the model". */
function holdersOf(weights: readonly FoundTensor[]): string[] {
  const [first] = weights;
  if (first === undefined) return [];
  const holders: string[] = [];
  for (const step of first.path.slice(0, MOST_HOLDERS)) {
    const depth = holders.length;
    if (!HOLDERS.test(step) || !weights.every(({ path, keys }) => path[depth] === step && keys > depth && path.length > depth + 1)) break;
    holders.push(step);
  }
  return holders;
}
