import { Fault } from "../../../shared/fault";
import { CALLS } from "./calls";
import { CONTAINERS } from "./containers";
import { Incomplete, PickleCursor } from "./cursor";
import { PickleMachine, type Operation, type Surroundings } from "./machine";
import { SCALARS } from "./scalars";
import type { PickleValue } from "./values";

const STOP = ".".charCodeAt(0), PROTO = 0x80, FRAME = 0x95;
/** Highest protocol that Python has (3.8 to 3.14). */
const HIGHEST_PROTOCOL = 5;

/** Opcodes of pickle that no file of weights has, by name. */
const REFUSED: ReadonlyMap<number, string> = new Map([
  ["P", "PERSID"], ["\x82", "EXT1"], ["\x83", "EXT2"], ["\x84", "EXT4"], ["\x97", "NEXT_BUFFER"], ["\x98", "READONLY_BUFFER"],
].map(([opcode, name]) => [opcode!.charCodeAt(0), name!]));

const OPERATIONS: readonly (Operation | undefined)[] = (() => {
  const table = new Array<Operation | undefined>(256).fill(undefined);
  for (const [opcode, operation] of [...SCALARS, ...CONTAINERS, ...CALLS]) table[opcode.charCodeAt(0)] = operation;
  table[PROTO] = (machine) => {
    const protocol = machine.cursor.byte();
    if (protocol > HIGHEST_PROTOCOL) throw new Fault("unsupported", `${machine.cursor.what} is a pickle of protocol ${protocol}; Python has none above ${HIGHEST_PROTOCOL}.`, "Save the file again with a released version of Python.");
  };
  table[FRAME] = (machine) => void machine.cursor.length();
  return table;
})();

/** A pickle that was read, and where it ends. */
export interface Unpickled {
  readonly value: PickleValue;
  readonly end: number;
}

/**
 * Reads one pickle as inert records; runs nothing.
 * @param bytes from its first byte on; more may follow
 * @param what for faults: "data.pkl of model.pt"
 * @throws Incomplete when the bytes end before it does; Fault malformed, unsupported, too-large
 */
export function readPickle(bytes: Uint8Array, start: number, what: string, surroundings: Surroundings): Unpickled {
  const cursor = new PickleCursor(bytes, start, what);
  const machine = new PickleMachine(cursor, surroundings);
  for (;;) {
    const opcode = cursor.byte();
    if (opcode === STOP) return { value: machine.pop(), end: cursor.position };
    machine.countOperation();
    const operation = OPERATIONS[opcode];
    if (operation === undefined) throw unknown(cursor, opcode);
    operation(machine);
  }
}

function unknown(cursor: PickleCursor, opcode: number): Fault {
  const name = REFUSED.get(opcode);
  if (name === undefined) return cursor.malformed(`an unknown opcode 0x${opcode.toString(16).padStart(2, "0")}`);
  return new Fault("unsupported", `${cursor.what} has the opcode ${name} before byte ${cursor.position}, which no file of weights needs.`, "Save the weights alone (model.state_dict()) and open that file.");
}

/** `readPickle`, of bytes that are all there are. @throws Fault */
export function readWholePickle(bytes: Uint8Array, what: string, surroundings: Surroundings): PickleValue {
  try {
    return readPickle(bytes, 0, what, surroundings).value;
  } catch (error) {
    if (error instanceof Incomplete) throw cutOff(what, bytes.length);
    throw error;
  }
}

export function cutOff(what: string, size: number): Fault {
  return new Fault("truncated", `${what} ends after ${size} bytes, inside of its pickle.`, "The file is cut off: fetch it again.");
}
