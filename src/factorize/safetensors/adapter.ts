import { basename, dirname, join } from "node:path";
import { Fault } from "../../shared/fault";
import { FileBytes } from "../../models/fileBytes";
import { decode } from "../../models/dtypes";
import { readHeader, type StoredTensor } from "../../models/safetensors/header";
import type { Values } from "../../models/model";
import { reconstructed } from "../reconstruct";
import type { Factor, Step } from "../scheme";
import type { FactorMaker } from "../source";
import { isConvolution, product, type Target } from "../target";
import { WEIGHT, stemOf } from "./names";
import { made, type StepsOf } from "./outputs";
import type { PieceFile } from "./pieces/piece";
import type { Entry, Made } from "./writing";
import { transposed } from "../../linalg/transposed";

/**
 * A model split into a base and an adapter in PEFT's layout: the adapter holds the layers' largest singular parts, B·A = Ŵ, the
 * base what is left, W − Ŵ, so that PEFT's W_base + (α/r)·B·A with α = r is the original. It is the start of fine-tuning by
 * PiSSA (Meng, Wang & Zhang, 2024, equations 2 to 4): the principal part is trained, and the rest, which quantizes better, is
 * frozen. It is no smaller. Layout: PEFT's developer guide "Checkpoint format"; convolutions as its `LoraConv2d`, A of the
 * kernel's size and B of 1 × 1, which is the channel scheme.
 */
export interface AdapterPaths {
  readonly weights: string;
  readonly config: string;
}

const PREFIX = "base_model.model.";

/** In a folder of its own: transformers takes a folder with an adapter_config.json for an adapter alone. */
export function adapterPaths(output: string): AdapterPaths {
  const folder = join(dirname(output), `${stemOf(output)}-adapter`);
  return { weights: join(folder, "adapter_model.safetensors"), config: join(folder, "adapter_config.json") };
}

/** Names of both factors of a module in an adapter. */
export function factorNames(name: string, { form: { op } }: Target): [string, string] {
  const module = `${PREFIX}${WEIGHT.exec(name)?.[1] ?? name}`;
  return op === "embedding" ? [`${module}.lora_embedding_A`, `${module}.lora_embedding_B`] : [`${module}.lora_A.weight`, `${module}.lora_B.weight`];
}

/** PEFT keeps A as (r, in) and B as (out, r), also where the weight itself is (in, out). */
export function isTransposed({ form }: Target): boolean {
  return !isConvolution(form) && form.layout === "in_out";
}

/** @throws Fault plan-mismatch where an adapter cannot hold the layer's factors */
export function adapterEntries(files: readonly PieceFile[], steps: StepsOf, targets: ReadonlyMap<string, Target>): Made[] {
  return files.flatMap(({ pieces }) => pieces).flatMap((piece): Made[] => {
    const parts = steps.get(piece.layer);
    if (parts === undefined) return [];
    const target = targets.get(piece.layer)!;
    if (!fits(parts)) throw new Fault("plan-mismatch", `The factors of layer ${piece.layer} are none that an adapter can hold.`, "Use --scheme channel for convolutions.");
    const names = factorNames(piece.name, target);
    return parts.map(({ shape }, index) => made(
      piece, names[index]!, isTransposed(target) ? [...shape].reverse() : shape,
      (factors) => (isTransposed(target) ? transposed(factors[index]!.values, shape[0]!, shape[1]!) : factors[index]!.values),
    ));
  });
}

/** Two factors, of which the second has one position: what LoRA is made of. */
function fits(steps: readonly Step[]): boolean {
  return steps.length === 2 && product(steps[1]!.shape.slice(2)) === 1 && steps.every(({ groups }) => groups === 1);
}

/** The tensors of the base: what the adapter leaves of each layer. @param read the layer's weight, in its target's shape */
export function baseEntries({ pieces }: PieceFile, steps: StepsOf, targets: ReadonlyMap<string, Target>, read: (layer: string) => Promise<Values>): Entry[] {
  return pieces.map((piece): Entry => (steps.has(piece.layer)
    ? made(piece, piece.name, piece.shape, async (factors) => {
      const weight = await read(piece.layer);
      return reconstructed(targets.get(piece.layer)!, factors).map((value, at) => weight[at]! - value);
    })
    : { name: piece.name, piece }));
}

/** The factors as a written adapter has them, rounded to its type: the base makes up for the rounding too. */
export function storedFactors(path: string, files: readonly PieceFile[], steps: StepsOf, targets: ReadonlyMap<string, Target>): FactorMaker {
  const pieces = new Map(files.flatMap((file) => file.pieces.map((piece) => [piece.layer, piece] as const)));
  return {
    steps,
    async make(layers) {
      const file = await FileBytes.open(path);
      try {
        const header = await readHeader(file);
        const byName = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
        const out = new Map<string, readonly Factor[]>();
        for (const layer of layers) {
          const target = targets.get(layer)!;
          const stored = factorNames(pieces.get(layer)!.name, target).map((name) => byName.get(name)!);
          const values = await Promise.all(stored.map((tensor) => readTensor(file, header.dataStart, tensor)));
          out.set(layer, steps.get(layer)!.map((step, index) => ({
            ...step, values: isTransposed(target) ? transposed(values[index]!, step.shape[1]!, step.shape[0]!) : values[index]!,
          })));
        }
        return out;
      } finally {
        await file.close();
      }
    },
  };
}

async function readTensor(file: FileBytes, dataStart: number, { type, shape, begin, end }: StoredTensor): Promise<Float64Array> {
  return Float64Array.from(decode(type.name, await file.read(dataStart + begin, end - begin), product(shape)));
}

/** adapter_config.json: α is the rank of each module, so that the scale α/r is 1. */
export function adapterConfig(output: string, files: readonly PieceFile[], steps: StepsOf, targets: ReadonlyMap<string, Target>): string {
  const modules = files.flatMap(({ pieces }) => pieces).flatMap(({ name, layer }) => {
    const parts = steps.get(layer);
    return parts === undefined ? [] : [{ module: WEIGHT.exec(name)?.[1] ?? name, rank: rankOf(parts[0]!, targets.get(layer)!) }];
  });
  const rank = Math.max(1, ...modules.map((each) => each.rank));
  // PEFT takes the first key that ends a module's path: longer ones come first.
  const pattern = Object.fromEntries([...modules].sort((a, b) => b.module.length - a.module.length).map((each) => [each.module, each.rank]));
  return `${JSON.stringify({
    peft_type: "LORA", task_type: null, base_model_name_or_path: join("..", basename(output)), inference_mode: true,
    r: rank, lora_alpha: rank, rank_pattern: pattern, alpha_pattern: pattern, target_modules: modules.map(({ module }) => module),
    lora_dropout: 0, bias: "none", use_rslora: false, use_dora: false, init_lora_weights: true,
    fan_in_fan_out: [...steps.keys()].some((layer) => isTransposed(targets.get(layer)!) && targets.get(layer)!.form.op === "linear"),
    modules_to_save: null,
  }, null, 2)}\n`;
}

function rankOf({ shape }: Step, target: Target): number {
  return (isTransposed(target) ? shape[1] : shape[0]) ?? 1;
}
