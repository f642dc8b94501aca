/** What tests use of it besides. */
declare module "snappyjs" {
  export function compress(content: Uint8Array): Uint8Array;
}
