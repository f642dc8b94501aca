import type { Patches } from "../../calibrate/patches";
import type { NodeRecord } from "../../models/onnx/graphProto";
import type { LayerInput } from "../multiplyAdds";
import { svdScheme } from "../schemes/svd";
import { channelsOf, isConvolution, type ConvolutionForm, type Target } from "../target";
import { integerOf, type Consumer } from "./uses";

const AUTO_PADS: readonly Patches["autoPad"][] = ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"];

/** Where in a value the inputs lie that a node applies a weight to; null where rows are looked up. */
export function takenBy(target: Target, consumer: Consumer, value: string): LayerInput | null {
  const { form } = target;
  const { record } = consumer.node;
  if (isConvolution(form)) return { value, taken: { kind: "patches", patches: patchesOf(record, target.shape, form) } };
  if (form.op === "embedding") return null;
  const isBefore = record.opType === "MatMul" ? consumer.input === 0 : record.opType === "Gemm" && integerOf(record, "transA", 0) !== 0;
  return { value, taken: { kind: "along", axis: isBefore ? -2 : -1, inputs: svdScheme.inputs!(target).length } };
}

function patchesOf({ attributes }: NodeRecord, shape: readonly number[], form: ConvolutionForm): Patches {
  const { groups, in: channels, kernel } = channelsOf(shape, form);
  const list = (name: string, otherwise: number): readonly number[] => {
    const own = attributes.get(name)?.ints ?? [];
    return own.length === 0 ? kernel.map(() => otherwise) : own;
  };
  const pads = attributes.get("pads")?.ints ?? [];
  const text = attributes.get("auto_pad")?.string ?? "NOTSET";
  return {
    op: form.op, groups, channels, kernel, strides: list("strides", 1), dilations: list("dilations", 1), outputPadding: list("output_padding", 0),
    pads: pads.length === 0 ? [...kernel, ...kernel].map(() => 0) : pads, autoPad: AUTO_PADS.find((known) => known === text) ?? "NOTSET",
  };
}
