import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import { decode } from "../dtypes";
import { FileBytes } from "../fileBytes";
import type { Values } from "../model";
import type { ExternalData, ExternalFile } from "./external";
import { typedBytes } from "./payload";
import type { Packing } from "./packed";
import { bytesOf, place } from "./placement";
import type { Quantization } from "./quantization";
import { DATA_TYPES } from "./schema";
import { elementsOf, type TensorRecord } from "./tensorProto";
import { writeOut } from "./sparse";
import { unpackBlocks, unpackCodes } from "./unpack";
import { WireReader } from "./wire";

/** Reads the values of tensors whose headers were parsed before. */
export class TensorReader {
  constructor(private readonly model: FileBytes, private readonly external: ExternalData) {}

  /**
   * Π shape values in row-major order, dequantized when `quantization` is given, unpacked when `packing` is.
   * @throws Fault malformed, truncated, changed-while-read, external-data-missing …
   */
  async read(record: TensorRecord, quantization: Quantization | null, packing: Packing | null = null): Promise<Values> {
    const stored = await this.stored(record);
    if (packing !== null) return this.unpacked(record, stored, packing);
    if (quantization === null) return stored;
    const scale = await this.stored(quantization.scale);
    const zeroPoint = quantization.zeroPoint === null ? null : await this.stored(quantization.zeroPoint);
    return dequantize(stored, record.shape, quantization, scale, zeroPoint);
  }

  private async unpacked(record: TensorRecord, bytes: Values, packing: Packing): Promise<Values> {
    if (packing.kind === "codes") return unpackCodes(bytes, packing, await this.stored(packing.scale));
    const { scale, zeroPoint, order } = packing;
    const values = unpackBlocks(bytes, packing, {
      scale: await this.stored(scale), zeroPoint: zeroPoint && await this.stored(zeroPoint.record), order: order && await this.stored(order),
    });
    if (values === null) throw new Fault("malformed", `Tensor "${record.name}" of ${basename(this.model.path)} cannot be read: its order of groups names a block that does not exist.`, "Export the model again.");
    return values;
  }

  private async writtenOut(record: TensorRecord, values: TensorRecord, indices: TensorRecord): Promise<Values> {
    const written = writeOut(record.shape, await this.stored(values), await this.stored(indices), indices.shape.length === 1);
    if (written === null) throw new Fault("malformed", `Tensor "${record.name}" of ${basename(this.model.path)} cannot be read: an index lies outside of its shape.`, "Export the model again.");
    return written;
  }

  private async stored(record: TensorRecord): Promise<Values> {
    const placement = await place(record, this.external);
    const type = DATA_TYPES.get(record.dataType)!;
    const count = elementsOf(record.shape);
    switch (placement.kind) {
      case "nowhere":
        throw new Fault("malformed", `Tensor "${record.name}" of ${basename(this.model.path)} cannot be read: ${placement.reason}.`, "Export the model again.");
      case "sparse":
        return this.writtenOut(record, placement.source.values, placement.source.indices);
      case "typed": {
        const width = Math.max(1, type.bits / 8);
        const bytes = await typedBytes(new WireReader(this.model), placement.source, type.bits < 8 ? bytesOf(type, count) : count, width);
        await this.model.assertUnchanged();
        return decode(type.name, bytes, count);
      }
      case "bytes": {
        const bytes = placement.file === null
          ? await this.model.read(placement.offset, placement.length)
          : await readExternal(placement.file, placement.offset, placement.length);
        if (placement.file === null) await this.model.assertUnchanged();
        return decode(type.name, bytes, count);
      }
    }
  }
}

/** Opened for one read: a model may name more files than a process may hold open. */
async function readExternal(known: ExternalFile, offset: number, length: number): Promise<Uint8Array> {
  const file = await FileBytes.open(known.path).catch((error: unknown) => {
    if (error instanceof Fault && error.code === "not-found") {
      throw new Fault("external-data-missing", `External data file ${basename(known.path)} is gone.`, "Put it back, or open the model again.");
    }
    throw error;
  });
  try {
    if (file.size !== known.size || file.mtimeMs !== known.mtimeMs) {
      throw new Fault("changed-while-read", `External data file ${basename(known.path)} changed after the model was opened.`, "Open the model again.");
    }
    return await file.read(offset, length);
  } finally {
    await file.close();
  }
}

/** (q − zero point) · scale, rounded once to float32, as ONNX Runtime does. */
export function dequantize(stored: Values, shape: readonly number[], { axis, blockSize }: Quantization, scale: Values, zeroPoint: Values | null): Float32Array {
  const out = new Float32Array(stored.length);
  const size = axis === null ? 1 : shape[axis]!;
  const inner = axis === null ? stored.length : elementsOf(shape.slice(axis + 1));
  const zeroStep = zeroPoint !== null && zeroPoint.length > 1 ? 1 : 0;
  const blocks = blockSize === 0 ? size : Math.ceil(size / blockSize);
  for (let at = 0; at < stored.length; at += inner) {
    const line = at / inner, index = line % size;
    const first = blockSize === 0 ? index : (((line - index) / size) * blocks + Math.floor(index / blockSize)) * inner;
    for (let i = 0; i < inner; i++) {
      const which = blockSize === 0 ? first : first + i;
      const zero = zeroPoint === null ? 0 : zeroPoint[which * zeroStep]!;
      out[at + i] = (stored[at + i]! - zero) * scale[which]!;
    }
  }
  return out;
}
