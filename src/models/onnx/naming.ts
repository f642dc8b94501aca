import { clipped } from "../clipped";
import { placeOf } from "../names";
import type { Node } from "./graph";

/** Names that exporters make up: "741", "onnx::MatMul_475", "/Constant_12_output_0", "Const_24:0". */
const MADE_UP = /^(?:\d+|onnx::\w+|(?:Const|Constant|val|tmp|tensor|initializer|Parameter)?_?\d*(?:_output_0)?(?::\d+)?|const_fold_opt_*\d+|_v_\d+)(?:_quantized|_h|_fp16)?$/i;
/** What TensorFlow and its converter append to a variable's name. */
const PLUMBING = /^(?:ReadVariableOp(?:_\d+)?|resource|transpose(?:_\d+)?|Reshape(?:_\d+)?)$/;
/** Functions that JAX compiled, and the one step that its einsum leaves, around the modules of a model. */
const COMPILED = /^(?:jax2tf_\w*|pjit_\w*|einsum)$/;
const OUTPUT_NUMBER = /:\d+$/;
const BIAS = /[._/]bias$/;
/** What quantizers add to a name. */
const ADDED = /_(?:quantized|quant)$/;

/** Uses of a product among which its bias is looked for. */
const MOST_USES = 16;

/** Whether a tensor's name says nothing about its place in the model. */
export function isMadeUp(name: string): boolean {
  return MADE_UP.test(name.split("/").at(-1)!);
}

/**
 * Block and module of a weight: from its own name, or, where that is made up, from the scope of the node that
 * uses it ("/model/layers.0/self_attn/q_proj/MatMul"), or from the name of the bias that the node adds.
 */
export function placeOfWeight(name: string, node: Node): { block: string | null; module: string } {
  const plain = name.replace(ADDED, "");
  if (!isMadeUp(name)) return placeOf(dotted(plain));
  const scope = stepsOf(node.name.replace(ADDED, ""));
  if (scope.length > 1) return placeOf(scope.slice(0, -1).join("."));
  return placeOf(biasName(node)?.replace(BIAS, "") ?? scope[0] ?? plain);
}

/** TensorFlow's "model/dense_3/MatMul/ReadVariableOp/resource:0" as "model.dense_3.MatMul". */
function dotted(name: string): string {
  if (!name.includes("/")) return name.replace(OUTPUT_NUMBER, "");
  const parts = stepsOf(name.replace(OUTPUT_NUMBER, ""));
  while (parts.length > 1 && PLUMBING.test(parts.at(-1)!)) parts.pop();
  return parts.join(".");
}

function stepsOf(path: string): string[] {
  return path.split("/").filter((step) => step !== "" && !COMPILED.test(step));
}

/** The bias that a node or the Add after it takes: exporters rename a transposed weight, and keep its bias. */
export function biasName(node: Node): string | null {
  const added = node.outputs[0]?.uses.slice(0, MOST_USES).find((use) => use.node.opType === "Add");
  const bias = added === undefined ? node.inputs[2] : added.node.inputs[1 - added.input];
  const name = bias?.tensor?.name ?? "";
  return BIAS.test(name) && !isMadeUp(name) ? name : null;
}

/** "/lm_head/MatMul", "MatMul scores": a node, in words. */
export function nodeInWords(node: Node): string {
  return clipped(node.name.includes("/") || node.name.includes(node.opType) ? node.name : `${node.opType} ${node.name}`.trim());
}

/** Keeps names apart: rows of one name are one layer. */
export class UniqueNames {
  /** Each name given so far, and the number of its last copy. */
  private readonly given = new Map<string, number>();

  /** The name itself, or with the path of its graph, or with a number, whichever is new. */
  take(name: string, path: string): string {
    const wanted = this.given.has(name) && path !== "" ? `${path}/${name}` : name;
    let unique = wanted, copy = this.given.get(wanted) ?? 0;
    while (this.given.has(unique)) unique = `${wanted} (${++copy + 1})`;
    this.given.set(unique, 0);
    if (copy > 0) this.given.set(wanted, copy);
    return unique;
  }
}
