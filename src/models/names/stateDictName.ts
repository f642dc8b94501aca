/** A state-dict name, taken apart once for all the rules that look at it. */
export interface StateDictName {
  readonly full: string;
  /** The parameter's own name: "weight", "in_proj_weight", "weight_hh_l0". */
  readonly own: string;
  /** Path of the module that has it: "h.0.attn.c_attn"; empty at the top. */
  readonly modulePath: string;
  /** Last step of that path: "c_attn". */
  readonly module: string;
  /** Whether the parameter is what its module multiplies with. */
  readonly isWeight: boolean;
}

/** Shapes of the other tensors of the model. */
export interface Neighbours {
  shapeOf(name: string): readonly number[] | undefined;
  /** Convolution-shaped tensors (out, 1, k…) in the model. */
  readonly singleInputKernels: number;
}

/** A parametrized weight (torch.nn.utils.parametrizations) lies below its module's own path. */
const PARAMETRIZED = /^(.*?)\.?parametrizations\.weight\.original1$/;
const WEIGHT = /^(?:weight|kernel|weight_v|weights)$|_weight$/;

export function stateDictName(full: string): StateDictName {
  const parametrized = full.endsWith("original1") ? PARAMETRIZED.exec(full) : null;
  if (parametrized !== null) return named(full, "weight_v", parametrized[1] ?? "");
  const end = lastSeparator(full);
  return named(full, full.slice(end + 1), full.slice(0, Math.max(0, end)));
}

function named(full: string, own: string, modulePath: string): StateDictName {
  return { full, own, modulePath, module: modulePath.slice(lastSeparator(modulePath) + 1), isWeight: WEIGHT.test(own) };
}

/** The name of another parameter of the same module. */
export function beside({ full, own }: StateDictName, other: string): string {
  return full.endsWith(own) ? full.slice(0, full.length - own.length) + other : "";
}

/** The name of a parameter `own` of another module beside this one. */
export function ofSibling({ modulePath }: StateDictName, module: string, own = "weight"): string {
  const end = lastSeparator(modulePath);
  return `${modulePath.slice(0, end + 1)}${module}.${own}`;
}

/** PyTorch separates by dots, Flax also by slashes, older LoRA files by colons. */
function lastSeparator(path: string): number {
  return Math.max(path.lastIndexOf("."), path.lastIndexOf("/"), path.lastIndexOf(":"));
}
