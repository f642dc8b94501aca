/** A model of one layer alone: what its latency is measured with. Its values do not matter, only sizes and types. */
export interface MicroModel {
  /** Encoded NodeProtos, in order. */
  readonly nodes: readonly Uint8Array[];
  /** Weights, and a bias. */
  readonly tensors: readonly MicroTensor[];
  readonly input: MicroTensor;
  readonly output: string;
  /** Of ONNX's own operators. */
  readonly opset: number;
}

export interface MicroTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** TensorProto.DataType. */
  readonly dataType: number;
}
