import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import { decode } from "../dtypes";
import { FileBytes } from "../fileBytes";
import type { Ranges, ReadRange, Values } from "../model";
import { rowMajorStrides } from "../strided";
import type { ExternalData, ExternalFile } from "./external";
import { typedBytes } from "./payload";
import type { Packing } from "./packed";
import { bytesOf, place, type Placement } from "./placement";
import type { Quantization } from "./quantization";
import { DATA_TYPES } from "./schema";
import { elementsOf, type TensorRecord } from "./tensorProto";
import { writeOut } from "./sparse";
import { unpackBlocks, unpackCodes } from "./unpack";
import { WireReader } from "./wire";

/** What integers are dequantized with. */
interface Factors {
  readonly scale: Values;
  readonly zeroPoint: Values | null;
}

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
    const { scale, zeroPoint } = await this.factors(quantization);
    return dequantize(stored, record.shape, quantization, scale, zeroPoint);
  }

  /** Parts of a tensor whose values lie in one piece, as they are or dequantized; null for others. As `read`. */
  ranges(record: TensorRecord, quantization: Quantization | null, packing: Packing | null): Ranges | null {
    if (packing !== null || (record.source.kind !== "raw" && record.source.kind !== "external")) return null;
    const strides = rowMajorStrides(record.shape);
    if (quantization === null) return { strides, read: (start, count) => this.storedPart(record, start, count) };
    let factors: Promise<Factors> | undefined;
    const read: ReadRange = async (start, count) => {
      const { scale, zeroPoint } = await (factors ??= this.factors(quantization));
      return dequantize(await this.storedPart(record, start, count), record.shape, quantization, scale, zeroPoint, start);
    };
    return { strides, read };
  }

  private async factors({ scale, zeroPoint }: Quantization): Promise<Factors> {
    return { scale: await this.stored(scale), zeroPoint: zeroPoint === null ? null : await this.stored(zeroPoint) };
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
      case "bytes":
        return decode(type.name, await this.bytes(placement, 0, placement.length), count);
    }
  }

  /** Those that begin within a byte are cut out of whole ones. */
  private async storedPart(record: TensorRecord, start: number, count: number): Promise<Values> {
    const placement = await place(record, this.external);
    if (placement.kind !== "bytes") return (await this.stored(record)).subarray(start, start + count);
    const { name, bits } = DATA_TYPES.get(record.dataType)!;
    const before = bits < 8 ? start % (8 / bits) : 0;
    const first = ((start - before) * bits) / 8;
    const bytes = await this.bytes(placement, first, Math.ceil(((before + count) * bits) / 8));
    return decode(name, bytes, before + count).subarray(before);
  }

  private async bytes({ file, offset }: Extract<Placement, { kind: "bytes" }>, start: number, length: number): Promise<Uint8Array> {
    if (file !== null) return readExternal(file, offset + start, length);
    const bytes = await this.model.read(offset + start, length);
    await this.model.assertUnchanged();
    return bytes;
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

/**
 * (q − zero point) · scale, rounded once to float32, as ONNX Runtime does.
 * @param stored a part of the tensor, from its value number `start` on
 */
export function dequantize(stored: Values, shape: readonly number[], { axis, blockSize }: Quantization, scale: Values, zeroPoint: Values | null, start = 0): Float32Array {
  const out = new Float32Array(stored.length);
  const size = axis === null ? 1 : shape[axis]!;
  const inner = axis === null ? elementsOf(shape) : elementsOf(shape.slice(axis + 1));
  const zeroStep = zeroPoint !== null && zeroPoint.length > 1 ? 1 : 0;
  const blocks = blockSize === 0 ? size : Math.ceil(size / blockSize);
  for (let at = 0; at < stored.length; ) {
    const line = Math.floor((start + at) / inner), within = (start + at) % inner, index = line % size;
    const count = Math.min(inner - within, stored.length - at);
    const first = blockSize === 0 ? index : (((line - index) / size) * blocks + Math.floor(index / blockSize)) * inner + within;
    for (let i = 0; i < count; i++) {
      const which = blockSize === 0 ? first : first + i;
      const zero = zeroPoint === null ? 0 : zeroPoint[which * zeroStep]!;
      out[at + i] = (stored[at + i]! - zero) * scale[which]!;
    }
    at += count;
  }
  return out;
}
