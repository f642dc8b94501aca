/**
 * What a pickle describes, as inert records: a class or function is its name, an object is the name of what would have
 * made it and what that would have been given. Nothing here can run.
 */
export type PickleValue =
  | null | boolean | number | bigint | string | Uint8Array
  | PickleTuple | PickleList | PickleSet | PickleDict | GlobalName | MadeObject | PersistentObject;

export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

export class PickleList {
  readonly items: PickleValue[] = [];
}

export class PickleSet {
  readonly items: PickleValue[] = [];
}

/** A dict, OrderedDict, defaultdict or Counter; keys that are no texts or numbers are told apart by identity. */
export class PickleDict {
  /** Made when needed: each tensor comes with an empty dict of hooks. */
  private ownEntries: Map<PickleValue, PickleValue> | null = null;
  /** Attributes that the file sets on it, as state dicts have `_metadata`. */
  state: PickleValue = null;

  get entries(): Map<PickleValue, PickleValue> {
    return (this.ownEntries ??= new Map());
  }
}

/** A class or function, by name. */
export class GlobalName {
  readonly full: string;
  constructor(readonly module: string, readonly name: string) {
    this.full = `${module}.${name}`;
  }
}

/** What a call of a class or function would have given. */
export class MadeObject {
  /** What the file sets on it: attributes, in the order in which they are given. Made when needed, as are the next two. */
  private ownState: PickleValue[] | null = null;
  private ownItems: PickleValue[] | null = null;
  private ownEntries: Map<PickleValue, PickleValue> | null = null;

  constructor(readonly maker: GlobalName, readonly args: readonly PickleValue[]) {}

  get state(): PickleValue[] {
    return (this.ownState ??= []);
  }

  /** What the file appends to it. */
  get items(): PickleValue[] {
    return (this.ownItems ??= []);
  }

  get entries(): Map<PickleValue, PickleValue> {
    return (this.ownEntries ??= new Map());
  }

  /** Whether the file gave it nothing after it was made. */
  get isBare(): boolean {
    return this.ownState === null && this.ownItems === null && this.ownEntries === null;
  }
}

/** What lies outside of the pickle, by an identifier: storages. */
export class PersistentObject {
  constructor(readonly id: PickleValue) {}
}
