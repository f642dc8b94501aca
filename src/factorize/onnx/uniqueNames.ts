/** Names for what is new in a graph, apart from all that are there. */
export class UniqueNames {
  private readonly taken: Set<string>;

  constructor(taken: Iterable<string>) {
    this.taken = new Set(taken);
  }

  /** The name itself where it is free, with a number after it where it is not. */
  take(name: string): string {
    let free = name;
    for (let number = 2; this.taken.has(free); number++) free = `${name}_${number}`;
    this.taken.add(free);
    return free;
  }
}
