import type { StoredArray } from "../models/numpy/arrays";
import { readStored } from "../models/numpy/arrays";

/** NumPy's type of texts: so many characters of four bytes each. */
const TEXT = /^[<=|]U(\d+)$/;

/** Whether an array holds texts, which are no weights to the reader of models. */
export function holdsTexts({ dtype }: StoredArray): boolean {
  return TEXT.test(dtype);
}

/** Texts in row-major order. @param array one that `holdsTexts` @throws Fault of its bytes */
export async function readTexts(array: StoredArray): Promise<string[]> {
  const width = Number(TEXT.exec(array.dtype)?.[1] ?? 0);
  const bytes = await readStored({ ...array, itemSize: 4 * width, isBigEndian: false });
  const codes = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const count = array.shape.reduce((all, size) => all * size, 1);
  return Array.from({ length: count }, (_, at) => {
    const own = codes.subarray(at * width, (at + 1) * width);
    const end = own.indexOf(0);
    return String.fromCodePoint(...[...own.subarray(0, end < 0 ? width : end)].map((code) => (code <= LAST_CODE ? code : REPLACEMENT)));
  });
}

/** Of Unicode, and what stands for what is none. */
const LAST_CODE = 0x10ffff, REPLACEMENT = 0xfffd;
