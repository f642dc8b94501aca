import { Fault } from "../../shared/fault";
import { clipped } from "../clipped";
import { whyIntegers } from "../stateDict";
import { nameTensors } from "./naming";
import { problemOf } from "./read";
import type { TensorSource } from "./source";
import { identityOf, type StoredTensor } from "./tensors";
import { findTensors, MOST_TENSORS } from "./walk";

/** A tensor of a file, under a name that no other of the file has. */
export interface CheckpointTensor {
  readonly name: string;
  readonly tensor: StoredTensor;
  /** Why it is no layer, wherever it is; null when that is to be seen. */
  readonly reason: string | null;
  readonly notes: readonly string[];
  /** Other names of the same elements. */
  readonly aliases: readonly string[];
  /** `aside`: of an optimizer, or a constant of a program; `alias`: the elements of a tensor before it. */
  readonly part: "model" | "aside" | "alias";
  /** Whether its elements are weights of the model that no tensor before it has. */
  readonly isWeight: boolean;
}

export interface Checkpoint {
  readonly tensors: readonly CheckpointTensor[];
  readonly notes: readonly string[];
}

/** Characters of all names together: 200 for each of so many tensors. */
const MOST_CHARACTERS = 200 * MOST_TENSORS;
/** Names of unknown classes that a note lists. */
const MOST_NAMED = 4;

/**
 * All tensors of an opened file, tied ones once.
 * @param file its name, for faults
 * @throws Fault too-large
 */
export function tensorsOf(source: TensorSource, file: string): Checkpoint {
  const tensors: CheckpointTensor[] = [];
  const notes: string[] = [source.kind];
  const byIdentity = new Map<string, { name: string; aliases: string[]; aside: string | null }>();
  const unique = new UniqueNames();
  let characters = 0;
  for (const { value, folder, prefix } of source.pickles) {
    const found = findTensors(value, folder);
    if (found.tensors.length > MOST_TENSORS) throw tooLarge(`${file} holds more than ${MOST_TENSORS} tensors`);
    const { named, holders } = nameTensors(found.tensors);
    if ((characters += named.reduce((sum, { name }) => sum + name.length, 0)) > MOST_CHARACTERS) throw tooLarge(`${file} names its tensors with more than ${MOST_CHARACTERS} characters`);
    if (holders.length > 0) notes.push(`weights under ${holders.map(clipped).join(".")}`);
    notes.push(...remarks(found.unknown, found.isTooDeep));
    for (const { name, aside, tensor } of named) {
      const full = unique.take(prefix === "" ? name : `${prefix}.${name}`);
      const identity = identityOf(tensor);
      const known = identity === null ? undefined : byIdentity.get(identity);
      if (known !== undefined && known.aside === aside) {
        known.aliases.push(full);
        tensors.push({ name: full, tensor, aliases: [], part: aside === null && prefix === "" ? "alias" : "aside", isWeight: false, reason: `shares its data with ${clipped(known.name)}`, notes: [] });
        continue;
      }
      const aliases: string[] = [];
      if (identity !== null) byIdentity.set(identity, { name: full, aliases, aside });
      tensors.push({ isWeight: aside === null && tensor.storage !== null && whyUnread(tensor, full) === null, name: full, tensor, aliases, part: aside === null && prefix === "" ? "model" : "aside", reason: aside ?? problemOf(tensor, source) ?? whyUnread(tensor, full), notes: notesOf(tensor, source) });
    }
  }
  return { tensors, notes };
}

function tooLarge(why: string): Fault {
  return new Fault("too-large", `${why}.`, "Save the model's own weights alone (model.state_dict()).");
}

function remarks(unknown: ReadonlySet<string>, isTooDeep: boolean): string[] {
  const names = [...unknown];
  const more = names.length - MOST_NAMED;
  return [
    ...(names.length === 0 ? [] : [`holds objects that RankLens does not know, looked through for tensors: ${names.slice(0, MOST_NAMED).map(clipped).join(", ")}${more > 0 ? ` and ${more} more kinds` : ""}`]),
    ...(isTooDeep ? ["values nested too deep were not looked at"] : []),
  ];
}

function whyUnread({ type }: StoredTensor, name: string): string | null {
  switch (type.use) {
    case "float": case "quantized": return null;
    case "integer": return whyIntegers(name, type.name);
    case "unread": return type.name.startsWith("complex") ? `${type.name}: complex numbers are not measured` : `${type.name}: a type that RankLens does not read`;
  }
}

function notesOf({ type, quantizer, shape, strides }: StoredTensor, source: TensorSource): string[] {
  if (quantizer !== null) return [`${type.name}, dequantized${quantizer.axis === null ? "" : ` per axis ${quantizer.axis}`}`];
  if (type.name.startsWith("float8")) return [`${type.name} without a scale`];
  const isTransposed = shape.length === 2 && shape.every((size) => size > 1) && strides[0] === 1;
  return [...(isTransposed ? ["stored transposed"] : []), ...(source.isBigEndian ? ["stored big-endian"] : [])];
}

/** Keeps names apart: rows of one name are one layer. */
class UniqueNames {
  private readonly given = new Map<string, number>();

  take(name: string): string {
    let unique = name, copy = this.given.get(name) ?? 0;
    while (this.given.has(unique)) unique = `${name} (${++copy + 1})`;
    this.given.set(unique, 0);
    if (copy > 0) this.given.set(name, copy);
    return unique;
  }
}
