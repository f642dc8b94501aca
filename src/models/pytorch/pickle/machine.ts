import { Fault } from "../../../shared/fault";
import type { PickleCursor } from "./cursor";
import { GlobalName, type PickleValue } from "./values";

/**
 * Bounds of what one pickle may describe. A state dict takes about 15 operations and 8 objects for each tensor: a model of
 * 300,000 tensors fits, and what does not is made to exhaust.
 */
const MOST_OPERATIONS = 40_000_000;
const MOST_OBJECTS = 6_000_000;
const MOST_REMEMBERED = 6_000_000;

/** What one opcode does. Handlers never call each other for values in values: nothing recurses. */
export type Operation = (machine: PickleMachine) => void;

/** What the machine is told by its user. */
export interface Surroundings {
  /** What a persistent identifier stands for. */
  readonly persistent: (id: PickleValue) => PickleValue;
}

/**
 * The state of an interpreter of pickle protocols 0 to 5 (Python, Lib/pickletools.py) that builds inert records: no
 * class is looked up and nothing is called. Each step costs at most what it reads, and what is built is bounded.
 */
export class PickleMachine {
  private readonly stack: PickleValue[] = [];
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, PickleValue>();
  private readonly globals = new Map<string, GlobalName>();
  private operations = 0;
  private objects = 0;
  private floor = 0;

  constructor(readonly cursor: PickleCursor, readonly surroundings: Surroundings) {}

  push(value: PickleValue): void {
    this.stack.push(value);
  }

  pop(): PickleValue {
    if (this.stack.length <= this.floor) throw this.cursor.malformed("an operation that lacks its operand");
    return this.stack.pop()!;
  }

  /** The topmost value, which stays. */
  top(): PickleValue {
    if (this.stack.length <= this.floor) throw this.cursor.malformed("an operation that lacks its operand");
    return this.stack.at(-1)!;
  }

  mark(): void {
    this.marks.push(this.stack.length);
    this.floor = this.stack.length;
  }

  /** All values above the topmost mark, which goes with them. */
  popToMark(): PickleValue[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.cursor.malformed("an operation that lacks its mark");
    this.floor = this.marks.at(-1) ?? 0;
    return this.stack.splice(mark);
  }

  /** POP takes a mark when nothing lies above it. */
  popOrUnmark(): void {
    if (this.marks.length > 0 && this.stack.length === this.floor) this.popToMark();
    else this.pop();
  }

  remember(index: number): void {
    this.memo.set(index, this.top());
    if (this.memo.size > MOST_REMEMBERED) throw this.tooLarge(`remembers more than ${MOST_REMEMBERED} values`);
  }

  get remembered(): number {
    return this.memo.size;
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw this.cursor.malformed(`a reference to value ${index}, which it does not have,`);
    this.push(value);
  }

  /**
   * The one record of a class or function.
   * @param check called when the name is new
   */
  global(module: string, name: string, check: () => void): GlobalName {
    const key = `${module}\n${name}`;
    let known = this.globals.get(key);
    if (known === undefined) {
      check();
      this.countObjects(1);
      known = new GlobalName(module, name);
      this.globals.set(key, known);
    }
    return known;
  }

  /** Counts what takes memory of its own. */
  countObjects(count: number): void {
    this.objects += count;
    if (this.objects > MOST_OBJECTS) throw this.tooLarge(`describes more than ${MOST_OBJECTS} objects`);
  }

  countOperation(): void {
    if (++this.operations > MOST_OPERATIONS) throw this.tooLarge(`has more than ${MOST_OPERATIONS} operations`);
  }

  private tooLarge(why: string): Fault {
    return new Fault("too-large", `${this.cursor.what} ${why}.`, "Save the weights alone (model.state_dict()) and open that file.");
  }
}
