import { Fault } from "../../shared/fault";
import { clipped } from "../clipped";
import type { StoredTensor } from "./header";

const DAMAGED = "The file is damaged: fetch or export it again.";

/** Π shape. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Whether two tensors are the same bytes, of which there are some. */
function sharesData(a: StoredTensor, b: StoredTensor): boolean {
  return a.begin === b.begin && a.end === b.end && a.end > a.begin;
}

/**
 * Checks that tensors fill the data exactly.
 * @param tensors in any order
 * @param size bytes of data in the file
 * @returns for each tensor whose data another has too, the first in the header that has it
 * @throws Fault malformed, truncated
 */
export function checkLayout(tensors: readonly StoredTensor[], size: number, file: string): ReadonlyMap<StoredTensor, StoredTensor> {
  for (const tensor of tensors) checkSize(tensor, file);
  const sorted = [...tensors].sort((a, b) => a.begin - b.begin || a.end - b.end);
  const shared = new Map<StoredTensor, StoredTensor>();
  let end = 0, before: StoredTensor | null = null;
  for (const tensor of sorted) {
    if (before !== null && sharesData(before, tensor)) {
      shared.set(tensor, before);
      continue;
    }
    if (tensor.begin !== end) {
      const what = tensor.begin < end ? `overlaps "${clipped(before?.name ?? "")}"` : `leaves ${tensor.begin - end} bytes before it that belong to no tensor`;
      throw new Fault("malformed", `In ${file}, the data of tensor "${clipped(tensor.name)}" ${what}.`, DAMAGED);
    }
    end = tensor.end;
    before = tensor;
  }
  if (end > size) {
    throw new Fault("truncated", `${file} ends ${end - size} bytes before the end of its last tensor, "${clipped(before?.name ?? "")}".`, "The download is not complete: fetch the file again.");
  }
  if (end < size) throw new Fault("malformed", `${file} has ${size - end} bytes after its last tensor that belong to none.`, DAMAGED);
  return shared;
}

function checkSize({ name, shape, type, begin, end }: StoredTensor, file: string): void {
  const title = `tensor "${clipped(name)}" of ${file}`;
  if (end < begin) throw new Fault("malformed", `The data of ${title} ends at ${end}, before it begins at ${begin}.`, DAMAGED);
  // Zero axes do not hide an overflow: a reader may multiply the others first.
  const bound = elementsOf(shape.map((axis) => Math.max(1, axis))) * Math.max(8, type.bits);
  if (bound > Number.MAX_SAFE_INTEGER) throw new Fault("malformed", `The shape of ${title}, [${shape.join(", ")}], has too large a product.`, DAMAGED);
  if (type.bits === 0) return;
  const bits = elementsOf(shape) * type.bits;
  if (bits !== (end - begin) * 8) {
    throw new Fault("malformed", `The data of ${title} has ${end - begin} bytes, where its shape [${shape.join(", ")}] of ${type.name} needs ${bits / 8}.`, DAMAGED);
  }
}
