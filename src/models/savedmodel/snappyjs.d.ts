/** What is used of it: its own types are not published. */
declare module "snappyjs" {
  /** @throws Error for bytes that are not packed by snappy's block format */
  export function uncompress(packed: Uint8Array): Uint8Array;
}
