import { MadeObject, PersistentObject, PickleDict, PickleList, PickleSet, PickleTuple, type PickleValue } from "./pickle/values";
import { tensorOf, type StoredTensor } from "./tensors";

/** A tensor, and the way to it: keys of dicts, names of attributes, positions in lists. */
export interface FoundTensor {
  readonly path: readonly string[];
  readonly tensor: StoredTensor;
}

/** All that a checkpoint holds. */
export interface Found {
  readonly tensors: readonly FoundTensor[];
  /** Classes and functions whose objects were looked through and not understood, by name. */
  readonly unknown: ReadonlySet<string>;
  /** Whether values lie deeper than is looked. */
  readonly isTooDeep: boolean;
}

/** Deepest value that is looked at; modules in modules of real models are some 20 deep. */
const MOST_DEPTH = 200;
/** Names of unknown classes that are kept. */
const MOST_UNKNOWN = 64;
/** Attributes in which torch.nn.Module keeps what it holds: they are no part of a state dict's names. */
const OF_MODULE = new Set(["_parameters", "_buffers", "_modules"]);
/** Attributes that hold no tensors of their own: hooks, versions, and an LSTM's list of its parameters. */
const NOT_LOOKED_AT = new Set(["_metadata", "_flat_weights", "_backward_hooks", "_forward_hooks", "_forward_pre_hooks", "_state_dict_hooks", "_load_state_dict_pre_hooks"]);

/** Where a value is: the way back to the root, as a list that shares its tails. */
interface Place {
  readonly above: Place | null;
  readonly step: string;
  readonly depth: number;
}

/** The values inside of one, one after the other. */
interface Frame {
  readonly children: Iterator<readonly [string | null, PickleValue]>;
  readonly place: Place | null;
}

/** Finds every tensor, in the file's order. Looks at each container once, so that cycles end. */
export function findTensors(root: PickleValue, folder: string): Found {
  const tensors: FoundTensor[] = [];
  const unknown = new Set<string>();
  const seen = new Set<PickleValue>();
  const known = new Map<MadeObject, StoredTensor>();
  let isTooDeep = false;
  const frames: Frame[] = [{ children: [[null, root] as const].values(), place: null }];
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const next = frame.children.next();
    if (next.done === true) {
      frames.pop();
      continue;
    }
    const [step, value] = next.value;
    if (value === null || typeof value !== "object") continue;
    const place = step === null ? frame.place : { above: frame.place, step, depth: (frame.place?.depth ?? 0) + 1 };
    const tensor = value instanceof MadeObject ? known.get(value) ?? tensorOf(value, folder) : null;
    if (tensor !== null) {
      known.set(value as MadeObject, tensor);
      tensors.push({ path: pathOf(place), tensor });
      continue;
    }
    const children = childrenOf(value);
    if (children === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof MadeObject && !isKnown(value) && unknown.size < MOST_UNKNOWN) unknown.add(value.maker.full);
    if ((place?.depth ?? 0) >= MOST_DEPTH || frames.length >= 3 * MOST_DEPTH) isTooDeep = true;
    else frames.push({ children, place });
  }
  return { tensors, unknown, isTooDeep };
}

/** Modules of PyTorch's packages, of TorchScript, and Python's own types; and all that is built like a torch.nn.Module. */
const KNOWN = /^(?:torch|__torch__|builtins|collections)(?:\.|$)/;

function isKnown({ maker, isBare, state }: MadeObject): boolean {
  if (KNOWN.test(maker.module)) return true;
  return !isBare && state.some((attributes) => attributes instanceof PickleDict && attributes.entries.has("_modules"));
}

function pathOf(place: Place | null): string[] {
  const path: string[] = [];
  for (let at = place; at !== null; at = at.above) path.push(at.step);
  return path.reverse();
}

function childrenOf(value: PickleValue): Iterator<readonly [string | null, PickleValue]> | null {
  if (value instanceof PickleDict) return ofDict(value);
  if (value instanceof PickleTuple || value instanceof PickleList || value instanceof PickleSet) return ofList(value.items);
  if (value instanceof MadeObject) return ofObject(value);
  return value instanceof PersistentObject ? [].values() : null;
}

function* ofDict({ entries, state }: PickleDict): Generator<readonly [string | null, PickleValue]> {
  for (const [key, value] of entries) yield [stepOf(key), value];
  if (state instanceof PickleDict) yield* attributes(state);
}

function* ofList(items: readonly PickleValue[]): Generator<readonly [string, PickleValue]> {
  for (let index = 0; index < items.length; index++) yield [String(index), items[index]!];
}

/** Attributes and contents go by their names; arguments by their positions. */
function* ofObject(object: MadeObject): Generator<readonly [string | null, PickleValue]> {
  yield* ofList(object.args);
  if (object.isBare) return;
  for (const state of object.state) {
    if (state instanceof PickleDict) yield* attributes(state);
    // Classes with slots give (attributes, slots).
    else if (state instanceof PickleTuple) for (const item of state.items) yield* item instanceof PickleDict ? attributes(item) : [["state", item] as const];
    else yield ["state", state];
  }
  yield* ofList(object.items);
  for (const [key, value] of object.entries) yield [stepOf(key), value];
}

function* attributes({ entries }: PickleDict): Generator<readonly [string | null, PickleValue]> {
  for (const [key, value] of entries) {
    const step = stepOf(key);
    if (!NOT_LOOKED_AT.has(step)) yield [OF_MODULE.has(step) ? null : step, value];
  }
}

/** Longest key that becomes part of a name. */
const LONGEST_STEP = 1000;

function stepOf(key: PickleValue): string {
  if (typeof key === "string") return key.slice(0, LONGEST_STEP);
  if (typeof key === "number" || typeof key === "boolean" || typeof key === "bigint") return String(key);
  return "(key)";
}
