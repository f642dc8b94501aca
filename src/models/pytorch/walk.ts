import { MadeObject, PickleDict, PickleList, PickleSet, PickleTuple, type PickleValue } from "./pickle/values";
import { tensorOf, type StoredTensor } from "./tensors";

/** A tensor, and the way to it: keys of dicts, names of attributes, positions in lists. */
export interface FoundTensor {
  readonly path: readonly string[];
  /** How many steps of it come before the first object: keys of dicts that are no modules. */
  readonly keys: number;
  /** Whether it is inside of an optimizer. */
  readonly isOptimizers: boolean;
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

/** Deepest value that is looked at; modules in modules of real models are some 20 deep, each with its dict of modules. */
const MOST_DEPTH = 400;
/** Most steps to a tensor, which are its name; those of real models are below 30. */
const MOST_STEPS = 64;
/** More tensors than any model has; the walk ends there. */
export const MOST_TENSORS = 500_000;
/** How often a container is looked at that several others hold, as modules share others: each time its tensors have other names. */
const MOST_VISITS = 4;
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
  readonly keys: number;
}

/** The values inside of one, one after the other. */
interface Frame {
  readonly value: PickleValue;
  /** Whether it is an object, or inside of one. */
  readonly isObject: boolean;
  readonly isOptimizers: boolean;
  readonly children: Iterator<readonly [string | null, PickleValue]>;
  readonly place: Place | null;
}

/** Finds every tensor, in the file's order. */
export function findTensors(root: PickleValue, folder: string): Found {
  const walk = new Walk(folder);
  walk.run(root);
  return walk;
}

class Walk implements Found {
  readonly tensors: FoundTensor[] = [];
  readonly unknown = new Set<string>();
  isTooDeep = false;
  private readonly frames: Frame[] = [];
  private readonly known = new Map<PickleValue, StoredTensor>();
  private readonly visits = new Map<PickleValue, number>();
  /** What is being looked at: a value inside of itself is not looked at again. */
  private readonly entered = new Set<PickleValue>();

  constructor(private readonly folder: string) {}

  run(root: PickleValue): void {
    this.see(root, null, { isObject: false, isOptimizers: false });
    for (let frame = this.frames.at(-1); frame !== undefined && this.tensors.length <= MOST_TENSORS; frame = this.frames.at(-1)) {
      const next = frame.children.next();
      if (next.done === true) {
        this.frames.pop();
        this.entered.delete(frame.value);
        continue;
      }
      const [step, value] = next.value;
      // Numbers and texts are most of what some checkpoints hold.
      if (value === null || typeof value !== "object") continue;
      this.see(value, step === null ? frame.place : below(frame, step), frame);
    }
  }

  private see(value: PickleValue, place: Place | null, around: Pick<Frame, "isObject" | "isOptimizers">): void {
    const tensor = this.known.get(value) ?? tensorOf(value, this.folder);
    if (tensor !== null) {
      this.known.set(value, tensor);
      this.tensors.push({ path: pathOf(place), keys: place?.keys ?? 0, isOptimizers: around.isOptimizers, tensor });
      return;
    }
    const children = childrenOf(value), visits = this.visits.get(value) ?? 0;
    if (children === null || visits >= MOST_VISITS || this.entered.has(value)) return;
    this.visits.set(value, visits + 1);
    if (value instanceof MadeObject && !isKnown(value) && this.unknown.size < MOST_UNKNOWN) this.unknown.add(value.maker.full);
    if (this.frames.length >= MOST_DEPTH || (place?.depth ?? 0) >= MOST_STEPS) {
      this.isTooDeep = true;
      return;
    }
    this.entered.add(value);
    const isObject = value instanceof MadeObject;
    this.frames.push({
      value, children, place, isObject: around.isObject || isObject, isOptimizers: around.isOptimizers || (isObject && value.maker.module.startsWith("torch.optim.")),
    });
  }
}

function below({ place, isObject }: Frame, step: string): Place {
  const depth = (place?.depth ?? 0) + 1;
  return { above: place, step, depth, keys: isObject ? place?.keys ?? 0 : depth };
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
  return value instanceof MadeObject ? ofObject(value) : null;
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
    else if (state instanceof PickleTuple && state.items.every((item) => item === null || item instanceof PickleDict)) {
      for (const item of state.items) if (item instanceof PickleDict) yield* attributes(item);
    } else yield ["state", state];
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
