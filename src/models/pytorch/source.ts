import type { PickleValue } from "./pickle/values";

/** One pickle of a file, and where its storages are. */
export interface Pickled {
  readonly value: PickleValue;
  /** What comes before a storage's key: "data", "constants", or nothing. */
  readonly folder: string;
  /** What comes before the names of its tensors; empty for the model itself. */
  readonly prefix: string;
}

/** An opened file of PyTorch: its pickles are read, its storages are not. */
export interface TensorSource {
  /** "zip archive", "TorchScript archive", "legacy pickle": for the notes. */
  readonly kind: string;
  readonly pickles: readonly Pickled[];
  readonly isBigEndian: boolean;
  /** Why the storage cannot be read, or null. `bytes` is what its type and elements take. */
  problemOf(key: string, bytes: number): string | null;
  /** Whether a part of a storage costs as much as all that comes before it. */
  isPacked(key: string): boolean;
  /**
   * Bytes of a storage.
   * @throws Fault truncated, malformed, unsupported, changed-while-read
   */
  read(key: string, start: number, length: number): Promise<Uint8Array>;
}
