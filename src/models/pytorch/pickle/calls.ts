import { Fault } from "../../../shared/fault";
import { DICT_OBJECTS, fill } from "./containers";
import type { Operation, PickleMachine } from "./machine";
import { isRefused } from "./refused";
import { GlobalName, MadeObject, PersistentObject, PickleDict, PickleList, PickleSet, PickleTuple, type PickleValue } from "./values";

/** Longest dotted name. */
const LONGEST_NAME = 1024;

/** Opcodes that name classes and functions, and that would call them, by their byte. */
export const CALLS: readonly (readonly [string, Operation])[] = [
  ["c", (machine) => {
    const module = machine.cursor.line(LONGEST_NAME);
    machine.push(named(machine, module, machine.cursor.line(LONGEST_NAME)));
  }],
  ["\x93", (machine) => {
    const name = machine.pop(), module = machine.pop();
    if (typeof module !== "string" || typeof name !== "string") throw machine.cursor.malformed("a global whose name is no text");
    if (module.length > LONGEST_NAME || name.length > LONGEST_NAME) throw machine.cursor.malformed(`a global whose name is longer than ${LONGEST_NAME}`);
    machine.push(named(machine, module, name));
  }],
  ["R", (machine) => {
    const args = machine.pop();
    machine.push(called(machine, machine.pop(), itemsOf(machine, args)));
  }],
  ["\x81", (machine) => {
    const args = machine.pop();
    machine.push(called(machine, machine.pop(), itemsOf(machine, args)));
  }],
  ["\x92", (machine) => {
    const keywords = machine.pop(), args = machine.pop();
    if (!(keywords instanceof PickleDict)) throw machine.cursor.malformed("keywords that are no dict");
    const items = itemsOf(machine, args);
    // Copied: arguments that many calls share take memory for each.
    machine.countObjects(items.length);
    machine.push(called(machine, machine.pop(), [...items, keywords]));
  }],
  ["i", (machine) => {
    const module = machine.cursor.line(LONGEST_NAME);
    const maker = named(machine, module, machine.cursor.line(LONGEST_NAME));
    machine.push(called(machine, maker, machine.popToMark()));
  }],
  ["o", (machine) => {
    const [maker, ...args] = machine.popToMark();
    if (maker === undefined) throw machine.cursor.malformed("an object without its class");
    machine.push(called(machine, maker, args));
  }],
  ["b", (machine) => {
    const state = machine.pop();
    setState(machine, machine.top(), state);
  }],
  ["Q", (machine) => {
    machine.countObjects(1);
    machine.push(machine.surroundings.persistent(machine.pop()));
  }],
];

/** What Python 2 called modules of Python 3. */
const RENAMED: ReadonlyMap<string, string> = new Map([["__builtin__", "builtins"], ["copy_reg", "copyreg"], ["exceptions", "builtins"], ["Queue", "queue"]]);

function named(machine: PickleMachine, module: string, name: string): GlobalName {
  const modern = RENAMED.get(module) ?? module;
  return machine.global(modern, name, () => {
    if (isRefused(modern, name)) throw refusal(machine, `${module}.${name}`);
  });
}

function refusal(machine: PickleMachine, name: string): Fault {
  const { what, position } = machine.cursor;
  return new Fault(
    "unsupported",
    `${what} names ${name.slice(0, 120)} at byte ${position}, which no weights need and which can harm when another program loads the file; RankLens ran nothing of it.`,
    "Do not load this file elsewhere unless you trust who made it; ask for safetensors instead.",
  );
}

function itemsOf(machine: PickleMachine, args: PickleValue): readonly PickleValue[] {
  if (!(args instanceof PickleTuple)) throw machine.cursor.malformed("a call whose arguments are no tuple");
  return args.items;
}

const DICTS = new Set(["collections.OrderedDict", "collections.defaultdict", "collections.Counter", "builtins.dict"]);

/** The record of a call. Nothing is called: dicts are made, all else is remembered by name. */
function called(machine: PickleMachine, maker: PickleValue, args: readonly PickleValue[]): PickleValue {
  if (!(maker instanceof GlobalName)) {
    const what = maker instanceof MadeObject ? `what ${maker.maker.full} returned` : "a value that is no class or function";
    throw refusal(machine, `a call of ${what}`);
  }
  machine.countObjects(1);
  if (DICTS.has(maker.full)) return dictOf(machine, args);
  const [object, attribute] = args;
  if (maker.full === "builtins.getattr" && object instanceof GlobalName && typeof attribute === "string" && attribute.length <= LONGEST_NAME) {
    // How classes inside classes are named.
    return named(machine, object.module, `${object.name}.${attribute}`);
  }
  if (maker.full === "copyreg._reconstructor" && object instanceof GlobalName) return new MadeObject(object, args.slice(2, 3));
  return new MadeObject(maker, args);
}

/** OrderedDict([[key, value], …]) is how Python 2 wrote it; defaultdict takes a factory before. */
function dictOf(machine: PickleMachine, args: readonly PickleValue[]): PickleDict {
  machine.countObjects(DICT_OBJECTS);
  const made = new PickleDict();
  for (const arg of args) {
    if (arg instanceof PickleDict) {
      machine.countObjects(arg.entries.size);
      for (const [key, value] of arg.entries) made.entries.set(key, value);
    }
    if (!(arg instanceof PickleList)) continue;
    machine.countObjects(arg.items.length);
    for (const pair of arg.items) {
      const items = pair instanceof PickleTuple || pair instanceof PickleList ? pair.items : [];
      if (items.length === 2) fill(machine, made.entries, items);
    }
  }
  return made;
}

function setState(machine: PickleMachine, object: PickleValue, state: PickleValue): void {
  if (object instanceof MadeObject) object.state.push(state);
  else if (object instanceof PickleDict) object.state = state;
  else if (object instanceof GlobalName) throw refusal(machine, `an assignment to attributes of ${object.full} itself`);
  else if (!(object instanceof PersistentObject || object instanceof PickleSet)) throw machine.cursor.malformed("attributes for what can have none");
}
