import { Fault } from "../shared/fault";
import { readStored, type StoredArray } from "../models/numpy/arrays";
import { openNumpy } from "../models/numpy/files";

/** NumPy's type of texts: so many characters of four bytes each. */
const TEXT = /^[<=|]U(\d+)$/;

/** Arrays of texts of a .npy or .npz, by name, in row-major order. @throws Fault of the file */
export async function textArrays(path: string): Promise<Map<string, { readonly shape: readonly number[]; readonly values: readonly string[] }>> {
  const { file, arrays } = await openNumpy(path);
  const readable = new Map<string, { shape: readonly number[]; values: string[] }>();
  await file.whileOpen(async () => {
    for (const array of arrays) if (TEXT.test(array.dtype)) readable.set(array.name, { shape: array.shape, values: await readTexts(array) });
  });
  return readable;
}

async function readTexts(array: StoredArray): Promise<string[]> {
  const width = Number(TEXT.exec(array.dtype)?.[1] ?? 0);
  const count = array.shape.reduce((all, size) => all * size, 1);
  // The reader of models checks no shape of what it does not read.
  if (count * Math.max(1, 4 * width) > array.bytes.size) throw new Fault("truncated", `${array.bytes.what} ends before the texts that its shape [${array.shape.join(", ")}] says.`, "The file is cut off: fetch or save it again.");
  const bytes = await readStored({ ...array, itemSize: 4 * width, isBigEndian: false });
  const codes = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return Array.from({ length: count }, (_, at) => {
    const own = codes.subarray(at * width, (at + 1) * width);
    const end = own.indexOf(0);
    return String.fromCodePoint(...[...own.subarray(0, end < 0 ? width : end)].map((code) => (code <= LAST_CODE ? code : REPLACEMENT)));
  });
}

/** Of Unicode, and what stands for what is none. */
const LAST_CODE = 0x10ffff, REPLACEMENT = 0xfffd;
