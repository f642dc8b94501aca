/**
 * What can go wrong with a user's input, by code. A code is stable: settings, tests and other programs
 * may rely on it; the sentence may change.
 */
export type FaultCode =
  | "not-found" | "no-permission" | "is-a-folder" | "unreadable"
  | "unknown-format" | "truncated" | "malformed" | "too-large" | "unsupported"
  | "changed-while-read" | "external-data-refused" | "external-data-missing"
  | "budget-impossible" | "plan-mismatch" | "not-written"
  | "not-finite" | "empty" | "out-of-memory" | "crashed" | "engine-gone" | "usage";

/**
 * A fault of the input or the machine, told to a person: what is wrong and where, and what to do next.
 * Anything thrown that is not a `Fault` is a defect of RankLens.
 */
export class Fault extends Error {
  override readonly name = "Fault";
  /**
   * @param code stable identifier
   * @param message one sentence: what is wrong, and where in the file
   * @param next one sentence: what the person can do about it; empty when there is nothing
   */
  constructor(readonly code: FaultCode, message: string, readonly next = "") {
    super(message);
  }

  toPlain(): PlainFault {
    return { code: this.code, message: this.message, next: this.next };
  }

  static fromPlain(plain: PlainFault): Fault {
    return new Fault(plain.code, plain.message, plain.next);
  }
}

/** A fault as it crosses a process or a frame. */
export interface PlainFault {
  readonly code: FaultCode;
  readonly message: string;
  readonly next: string;
}

/** Cancelled by the person who asked. Not an error: callers end quietly. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
  constructor() {
    super("Cancelled");
  }
}
