import { rowMajorStrides, spanOf } from "../strided";
import { GlobalName, MadeObject, PersistentObject, PickleList, PickleTuple, type PickleValue } from "./pickle/values";
import { TYPE_OF_NAME, TYPE_OF_STORAGE, type DataType } from "./types";

/** A run of elements outside of the pickle. */
export interface Storage {
  /** Name of what holds it: "data/0" in an archive. */
  readonly key: string;
  readonly type: DataType;
  readonly elements: number;
  /** Elements before the first one, where it is a view on another storage, as files of 2017 have them. */
  readonly base: number;
}

/** Scale and zero point of a quantized tensor, one for all or one for each step of an axis. */
export type Quantizer =
  | { readonly axis: null; readonly scale: number; readonly zeroPoint: number }
  | { readonly axis: number; readonly scales: readonly number[] | StoredTensor; readonly zeroPoints: readonly number[] | StoredTensor; readonly hasFloatPoints: boolean };

/** A tensor as a pickle describes it. */
export interface StoredTensor {
  readonly type: DataType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** Elements before the first, in its storage. */
  readonly offset: number;
  readonly storage: Storage | null;
  readonly quantizer: Quantizer | null;
  /** Why it cannot be read; null when nothing speaks against it yet. */
  readonly problem: string | null;
}

/** Axes of the largest tensor that PyTorch makes. */
const MOST_AXES = 64;
const UNKNOWN: DataType = { name: "unknown", itemSize: 0, use: "unread" };
/** Wrappers of one tensor in another, as no writer nests them deeper. */
const MOST_WRAPPERS = 16;

/**
 * The tensor that an object is, or null when it is none.
 * @param folder where the storages of its pickle are: "data", "constants", or empty
 */
export function tensorOf(value: PickleValue, folder: string): StoredTensor | null {
  if (value instanceof PersistentObject) {
    const storage = storageOf(value, folder);
    return storage === null ? null : { ...without([storage.elements], "a storage without a tensor"), type: storage.type };
  }
  let inner: PickleValue = value;
  for (let depth = 0; depth < MOST_WRAPPERS; depth++) {
    if (!(inner instanceof MadeObject)) return null;
    const next = unwrapped(inner);
    if (next === null) return rebuilt(inner, folder);
    inner = next;
  }
  return null;
}

/** What a Parameter or a subclass is made from; null when it is no such wrapper. */
function unwrapped({ maker, args }: MadeObject): PickleValue | null {
  switch (maker.full) {
    case "torch._utils._rebuild_parameter": case "torch._utils._rebuild_parameter_with_state": case "torch.nn.parameter.Parameter": case "torch.nn.parameter.Buffer":
      return args[0] ?? null;
    case "torch._tensor._rebuild_from_type": case "torch._tensor._rebuild_from_type_v2": case "torch.tensor._rebuild_from_type": {
      const [make, , made] = args;
      return make instanceof GlobalName && made instanceof PickleTuple ? new MadeObject(make, made.items) : null;
    }
    default:
      return null;
  }
}

/** torch/_utils.py, the functions of these names. */
function rebuilt(object: MadeObject, folder: string): StoredTensor | null {
  const { maker, args } = object;
  switch (maker.full) {
    case "torch._utils._rebuild_tensor": case "torch._utils._rebuild_tensor_v2": return strided(args, folder, null);
    case "torch._utils._rebuild_tensor_v3": return strided(args, folder, args[6] ?? null);
    case "torch._utils._rebuild_qtensor": return quantized(args, folder);
    case "torch._utils._rebuild_sparse_tensor": case "torch._utils._rebuild_sparse_csr_tensor": return without(sparseShape(args), "sparse tensors are not analyzed");
    case "torch._utils._rebuild_nested_tensor": return without(null, "nested tensors are not analyzed");
    case "torch._utils._rebuild_meta_tensor_no_storage": return without(shapeOf(args[1]), "a tensor on the meta device: it has no values", args[0]);
    case "torch._utils._rebuild_wrapper_subclass": return without(shapeOf(args[2]), "a tensor subclass without values of its own", args[1]);
    case "torch._utils._rebuild_device_tensor_from_numpy": case "torch._utils._rebuild_xla_tensor": return without(null, "a tensor that is stored as a NumPy array inside of the pickle");
    case "numpy.core.multiarray._reconstruct": case "numpy._core.multiarray._reconstruct": return without(arrayShape(object), "a NumPy array inside of the pickle: save it as a tensor");
    default: return null;
  }
}

/** An array's state is its version, shape, type, order and bytes (numpy/core/src/multiarray/methods.c, array_setstate). */
function arrayShape({ isBare, state }: MadeObject): readonly number[] | null {
  const given = isBare ? undefined : state[0];
  return given instanceof PickleTuple ? shapeOf(given.items[1]) : null;
}

function without(shape: readonly number[] | null, problem: string, type?: PickleValue): StoredTensor {
  const data = type instanceof GlobalName ? TYPE_OF_NAME.get(type.full) : undefined;
  return { type: data ?? UNKNOWN, shape: shape ?? [], strides: [], offset: 0, storage: null, quantizer: null, problem };
}

function sparseShape([, data]: readonly PickleValue[]): readonly number[] | null {
  return data instanceof PickleTuple ? shapeOf(data.items.findLast((item) => shapeOf(item) !== null)) : null;
}

function strided([place, offset, size, stride]: readonly PickleValue[], folder: string, typeName: PickleValue): StoredTensor {
  const storage = storageOf(place, folder);
  const shape = shapeOf(size), strides = shapeOf(stride);
  const type = typeName instanceof GlobalName ? TYPE_OF_NAME.get(typeName.full) : storage?.type;
  const problem = (what: string) => ({ ...without(shape, what), type: type ?? UNKNOWN });
  if (storage === null) return problem("its storage is not one that the file holds");
  if (type === undefined) return problem(`its type ${typeName instanceof GlobalName ? typeName.full.slice(0, 60) : ""} is not known`);
  if (shape === null || strides === null || strides.length !== shape.length || typeof offset !== "number" || !Number.isSafeInteger(offset) || offset < 0) {
    return problem("its shape, strides or place are damaged");
  }
  const start = storage.base + offset;
  return { type, shape, strides, offset: start, storage, quantizer: null, problem: misplaced({ shape, strides }, start, storage, type) };
}

/** Checks that all elements lie in the storage, and that these are no fewer than the tensor's. */
function misplaced(tensor: { shape: readonly number[]; strides: readonly number[] }, offset: number, storage: Storage, type: DataType): string | null {
  const count = tensor.shape.map((size) => Math.max(1, size)).reduce((product, size) => product * size, 1);
  if (count * 16 > Number.MAX_SAFE_INTEGER) return `its shape [${tensor.shape.join(", ")}] has too large a product`;
  if (type.itemSize === 0 || storage.type.itemSize === 0 || tensor.shape.includes(0)) return null;
  const elements = Math.floor((storage.elements * storage.type.itemSize) / type.itemSize);
  const last = offset + spanOf(tensor);
  if (!(last <= elements)) return `it reaches to element ${last} of a storage of ${elements}`;
  return count > elements ? `its ${count} elements repeat the ${elements} of its storage: an expanded tensor` : null;
}

function quantized(args: readonly PickleValue[], folder: string): StoredTensor {
  const tensor = strided(args, folder, null);
  if (tensor.problem !== null) return tensor;
  const [scheme, a, b, c] = args[4] instanceof PickleTuple ? args[4].items : [];
  const name = scheme instanceof GlobalName ? scheme.full : "";
  if (name === "torch.per_tensor_affine" && typeof a === "number" && typeof b === "number") return { ...tensor, quantizer: { axis: null, scale: a, zeroPoint: b } };
  if (name === "torch.per_channel_affine" || name === "torch.per_channel_affine_float_qparams") {
    const scales = numbersOf(a, folder), zeroPoints = numbersOf(b, folder);
    if (scales !== null && zeroPoints !== null && typeof c === "number" && c >= 0 && c < tensor.shape.length) {
      // PyTorch writes both schemes by the name of the first; the type of the zero points tells.
      const hasFloatPoints = "type" in zeroPoints ? zeroPoints.type.use === "float" : name.endsWith("_float_qparams");
      return { ...tensor, quantizer: { axis: c, scales, zeroPoints, hasFloatPoints } };
    }
  }
  return { ...tensor, problem: `its quantization scheme ${name === "" ? "" : `${name.slice(0, 60)} `}is not one that RankLens reads` };
}

/** Scales as a list, or as a tensor that is itself plain: a quantized one could hold another, and so on. */
function numbersOf(value: PickleValue | undefined, folder: string): readonly number[] | StoredTensor | null {
  if (value instanceof PickleList) return numberList(value);
  const isPlain = value instanceof MadeObject && PLAIN.has(value.maker.full);
  return isPlain ? rebuilt(value, folder) : null;
}

const PLAIN = new Set(["torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3"]);
/** Each list is checked once: thousands of tensors may share one of millions of numbers. */
const numberLists = new WeakMap<PickleList, readonly number[] | null>();

function numberList(list: PickleList): readonly number[] | null {
  let numbers = numberLists.get(list);
  if (numbers === undefined) {
    const items: readonly PickleValue[] = list.items;
    numbers = items.every((item) => typeof item === "number") ? items : null;
    numberLists.set(list, numbers);
  }
  return numbers;
}

/** A storage's persistent identifier: ("storage", type, key, location, elements), and in old files a view on another. */
function storageOf(value: PickleValue | undefined, folder: string): Storage | null {
  if (!(value instanceof PersistentObject) || !(value.id instanceof PickleTuple)) return null;
  const [kind, type, key, , elements, view] = value.id.items;
  if (kind !== "storage" || !(type instanceof GlobalName) || typeof elements !== "number" || !Number.isSafeInteger(elements) || elements < 0) return null;
  const data = TYPE_OF_STORAGE.get(type.name.split(".").at(-1)!);
  if (data === undefined || (typeof key !== "string" && typeof key !== "number")) return null;
  const base = view instanceof PickleTuple ? view.items[1] : 0;
  if (typeof base !== "number" || !Number.isSafeInteger(base) || base < 0) return null;
  return { key: folder === "" ? String(key) : `${folder}/${key}`, type: data, elements, base };
}

/** A torch.Size, tuple or list of whole numbers from 0 on. */
function shapeOf(value: PickleValue | undefined): readonly number[] | null {
  if (value instanceof MadeObject && value.maker.full === "torch.Size") return shapeOf(value.args[0]);
  if (!(value instanceof PickleTuple || value instanceof PickleList) || value.items.length > MOST_AXES) return null;
  const items: readonly PickleValue[] = value.items;
  return items.every((item): item is number => typeof item === "number" && Number.isSafeInteger(item) && item >= 0) ? items : null;
}

/** The same for two tensors that are the same elements in the same order, with the same scales; null for what has none. */
export function identityOf({ storage, offset, shape, strides, type, quantizer }: StoredTensor): string | null {
  if (storage === null || shape.includes(0)) return null;
  const own = rowMajorStrides(shape);
  const steps = strides.map((stride, axis) => (shape[axis] === 1 ? own[axis] : stride));
  return JSON.stringify([storage.key, type.name, offset, shape, steps, quantizer === null ? null : scalesOf(quantizer)]);
}

function scalesOf(quantizer: Quantizer): unknown {
  if (quantizer.axis === null) return quantizer;
  const { axis, scales, zeroPoints } = quantizer;
  return [axis, ...[scales, zeroPoints].map((numbers) => ("strides" in numbers ? identityOf(numbers) : numberOf(numbers)))];
}

const numbered = new WeakMap<object, number>();
let lastNumber = 0;

/** A number that tells one list from others, whatever its length. */
function numberOf(list: readonly number[]): number {
  const known = numbered.get(list) ?? ++lastNumber;
  numbered.set(list, known);
  return known;
}
