import type { Operation, PickleMachine } from "./machine";
import { MadeObject, PickleDict, PickleList, PickleSet, PickleTuple, type PickleValue } from "./values";

/** A dict takes as much memory as so many tuples. */
export const DICT_OBJECTS = 3;

/** Opcodes of the stack, the memo, tuples, lists, dicts and sets, by their byte. */
export const CONTAINERS: readonly (readonly [string, Operation])[] = [
  ["(", (machine) => machine.mark()],
  ["0", (machine) => machine.popOrUnmark()],
  ["1", (machine) => void machine.popToMark()],
  ["2", (machine) => machine.push(machine.top())],
  ["p", (machine) => machine.remember(memoLine(machine))],
  ["q", (machine) => machine.remember(machine.cursor.byte())],
  ["r", (machine) => machine.remember(machine.cursor.uint32())],
  ["\x94", (machine) => machine.remember(machine.remembered)],
  ["g", (machine) => machine.recall(memoLine(machine))],
  ["h", (machine) => machine.recall(machine.cursor.byte())],
  ["j", (machine) => machine.recall(machine.cursor.uint32())],
  [")", (machine) => tuple(machine, [])],
  ["\x85", (machine) => tuple(machine, [machine.pop()])],
  ["\x86", (machine) => tuple(machine, reversed(machine.pop(), machine.pop()))],
  ["\x87", (machine) => tuple(machine, reversed(machine.pop(), machine.pop(), machine.pop()))],
  ["t", (machine) => tuple(machine, machine.popToMark())],
  ["]", (machine) => list(machine, [])],
  ["l", (machine) => list(machine, machine.popToMark())],
  ["a", (machine) => append(machine, [machine.pop()])],
  ["e", (machine) => append(machine, machine.popToMark())],
  ["}", (machine) => dict(machine, [])],
  ["d", (machine) => dict(machine, machine.popToMark())],
  ["s", (machine) => setItems(machine, reversed(machine.pop(), machine.pop()))],
  ["u", (machine) => setItems(machine, machine.popToMark())],
  ["\x8f", (machine) => set(machine, [])],
  ["\x91", (machine) => set(machine, machine.popToMark())],
  ["\x90", (machine) => addItems(machine, machine.popToMark())],
];

function reversed(...values: PickleValue[]): PickleValue[] {
  return values.reverse();
}

function memoLine(machine: PickleMachine): number {
  const line = machine.cursor.line();
  if (!/^\d{1,10}$/.test(line)) throw machine.cursor.malformed("a reference that is no number");
  return Number(line);
}

function tuple(machine: PickleMachine, items: readonly PickleValue[]): void {
  machine.countObjects(1);
  machine.push(new PickleTuple(items));
}

function list(machine: PickleMachine, items: readonly PickleValue[]): void {
  machine.countObjects(1);
  const made = new PickleList();
  for (const item of items) made.items.push(item);
  machine.push(made);
}

function set(machine: PickleMachine, items: readonly PickleValue[]): void {
  machine.countObjects(1);
  const made = new PickleSet();
  for (const item of items) made.items.push(item);
  machine.push(made);
}

function dict(machine: PickleMachine, items: readonly PickleValue[]): void {
  machine.countObjects(DICT_OBJECTS);
  const made = new PickleDict();
  fill(machine, made.entries, items);
  machine.push(made);
}

function append(machine: PickleMachine, items: readonly PickleValue[]): void {
  const target = machine.top();
  if (!(target instanceof PickleList || target instanceof MadeObject)) throw machine.cursor.malformed("an append to what is no list");
  for (const item of items) target.items.push(item);
}

function addItems(machine: PickleMachine, items: readonly PickleValue[]): void {
  const target = machine.top();
  if (!(target instanceof PickleSet || target instanceof MadeObject)) throw machine.cursor.malformed("an addition to what is no set");
  for (const item of items) target.items.push(item);
}

function setItems(machine: PickleMachine, items: readonly PickleValue[]): void {
  const target = machine.top();
  if (!(target instanceof PickleDict || target instanceof MadeObject)) throw machine.cursor.malformed("an entry for what is no dict");
  fill(machine, target.entries, items);
}

/** Keys and values in turn; of equal keys the last one counts, as in Python. */
export function fill(machine: PickleMachine, entries: Map<PickleValue, PickleValue>, items: readonly PickleValue[]): void {
  if (items.length % 2 !== 0) throw machine.cursor.malformed("a key without its value");
  machine.countObjects(items.length / 2);
  for (let index = 0; index < items.length; index += 2) entries.set(items[index]!, items[index + 1]!);
}
