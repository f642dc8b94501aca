import { ramp } from "../support/ramp";
import { zipFile, type Packed } from "../support/zipFile";

/** Opcodes of pickle (Lib/pickletools.py), as bytes of what they do. */
export type Code = Buffer;

export const raw = (text: string): Code => Buffer.from(text, "latin1");
export const join = (...codes: readonly Code[]): Code => Buffer.concat(codes);
export const STOP = raw("."), MARK = raw("("), REDUCE = raw("R"), BUILD = raw("b"), NEWOBJ = raw("\x81"), PERSISTENT = raw("Q");
export const none = raw("N"), yes = raw("\x88"), no = raw("\x89");

export function text(value: string): Code {
  const bytes = Buffer.from(value), length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return join(raw("X"), length, bytes);
}

export function int(value: number): Code {
  if (value >= 0 && value < 256) return Buffer.from([0x4b, value]);
  if (value >= -(2 ** 31) && value < 2 ** 31) {
    const out = Buffer.alloc(5, "J");
    out.writeInt32LE(value, 1);
    return out;
  }
  const out = Buffer.alloc(10, 0x8a);
  out[1] = 8;
  out.writeBigInt64LE(BigInt(value), 2);
  return out;
}

export function float(value: number): Code {
  const out = Buffer.alloc(9, "G");
  out.writeDoubleBE(value, 1);
  return out;
}

export const global = (module: string, name: string): Code => raw(`c${module}\n${name}\n`);
export const tuple = (...items: readonly Code[]): Code => join(MARK, ...items, raw("t"));
export const list = (...items: readonly Code[]): Code => join(raw("]"), MARK, ...items, raw("e"));
export const dict = (...entries: readonly (readonly [Code | string, Code])[]): Code =>
  join(raw("}"), MARK, ...entries.flatMap(([key, value]) => [typeof key === "string" ? text(key) : key, value]), raw("u"));
export const call = (maker: Code, ...args: readonly Code[]): Code => join(maker, tuple(...args), REDUCE);
export const object = (module: string, name: string, state: Code): Code => join(global(module, name), tuple(), NEWOBJ, state, BUILD);
export const pickle = (value: Code, protocol = 2): Code => join(Buffer.from([0x80, protocol]), value, STOP);
const ints = (values: readonly number[]): Code => tuple(...values.map(int));

export interface TensorCode {
  readonly key?: string;
  readonly shape: readonly number[];
  readonly strides?: readonly number[];
  readonly offset?: number;
  /** Elements of the storage; as many as the tensor has where that is not given. */
  readonly elements?: number;
  readonly storage?: string;
}

const product = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);
const rowMajor = (shape: readonly number[]): number[] => shape.map((_, axis) => product(shape.slice(axis + 1)));

export function storage({ key = "0", shape, elements = product(shape), storage: name = "FloatStorage" }: TensorCode): Code {
  return join(tuple(text("storage"), global("torch", name), text(key), text("cpu"), int(elements)), PERSISTENT);
}

/** torch._utils._rebuild_tensor_v2 */
export function tensor(code: TensorCode): Code {
  const { shape, strides = rowMajor(shape), offset = 0 } = code;
  return call(global("torch._utils", "_rebuild_tensor_v2"), storage(code), int(offset), ints(shape), ints(strides), no, call(global("collections", "OrderedDict")));
}

/** torch._utils._rebuild_tensor_v3, of bytes without a type. */
export function typedTensor(type: string, bytes: number, shape: readonly number[], key = "0"): Code {
  const place = join(tuple(text("storage"), global("torch.storage", "UntypedStorage"), text(key), text("cpu"), int(bytes)), PERSISTENT);
  return call(global("torch._utils", "_rebuild_tensor_v3"), place, int(0), ints(shape), ints(rowMajor(shape)), no, call(global("collections", "OrderedDict")), global("torch", type), none);
}

export const floats = (count: number): Buffer => Buffer.from(Float32Array.from(ramp(count)).buffer);

/** An archive as torch.save writes it. */
export function archive(data: Code, storages: Readonly<Record<string, Uint8Array>> = {}, further: readonly Packed[] = [], isDeflated = false): Buffer {
  return zipFile([
    { name: "archive/data.pkl", content: data, isDeflated },
    ...Object.entries(storages).map(([key, content]): Packed => ({ name: `archive/data/${key}`, content, isDeflated })),
    ...further,
  ]);
}

/** A file as torch.save wrote it before PyTorch 1.6; elements have four bytes where nothing else is given. */
export function legacy(value: Code, storages: Readonly<Record<string, Uint8Array>>, itemSizes: Readonly<Record<string, number>> = {}): Buffer {
  const magic = Buffer.concat([raw("\x8a\x0a"), Buffer.from("6cfc9c46f9206aa85019", "hex")]);
  const counted = Object.entries(storages).flatMap(([key, content]) => {
    const count = Buffer.alloc(8);
    count.writeBigInt64LE(BigInt(content.length / (itemSizes[key] ?? 4)));
    return [count, content];
  });
  const keys = Object.keys(storages).map(text);
  return Buffer.concat([pickle(magic), pickle(int(1001)), pickle(dict(["little_endian", yes])), pickle(value), pickle(Buffer.concat([raw("]("), ...keys, raw("e")])), ...counted]);
}
