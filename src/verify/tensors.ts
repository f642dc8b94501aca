import type * as Ort from "onnxruntime-node";
import { Fault } from "../shared/fault";

export type Feeds = Record<string, Ort.Tensor>;

/** Inputs of one model: what the graph says of each. */
export interface InputMeta {
  readonly name: string;
  readonly type: Ort.Tensor.Type;
  /** Sizes; a name, or an empty one, for an axis that is open. */
  readonly shape: readonly (number | string)[];
}

/** @throws Fault unsupported for a type that inputs are not made of */
export function tensorOf(ort: typeof Ort, type: Ort.Tensor.Type, shape: readonly number[], values: readonly number[]): Ort.Tensor {
  switch (type) {
    case "float32": return new ort.Tensor("float32", Float32Array.from(values), [...shape]);
    case "float64": return new ort.Tensor("float64", Float64Array.from(values), [...shape]);
    case "int64": return new ort.Tensor("int64", BigInt64Array.from(values, (value) => BigInt(Math.trunc(value))), [...shape]);
    case "int32": return new ort.Tensor("int32", Int32Array.from(values), [...shape]);
    case "uint8": return new ort.Tensor("uint8", Uint8Array.from(values), [...shape]);
    case "bool": return new ort.Tensor("bool", values.map((value) => value !== 0), [...shape]);
    default: throw new Fault("unsupported", `Inputs of the type ${type} cannot be made.`);
  }
}
