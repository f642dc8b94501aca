import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openModel } from "../../models/formats";
import { Fault, type PlainFault } from "../../shared/fault";
import { configBeside } from "./modelConfig";
import type { ModelModules } from "./modelModules";
import { modulesOf } from "./modules";
import { resolveBase, type BasePlaces, type BaseReference, type ResolvedBase } from "./resolve";

/** A base model with its modules, or why there is none. */
export type BaseModel =
  | { readonly state: "found"; readonly from: "setting" | "path" | "cache"; readonly modules: ModelModules }
  | Exclude<ResolvedBase, { readonly state: "found" }>;

/** Models whose modules are kept: a workspace's configs name few. */
const MOST_KEPT = 16;

interface Kept {
  readonly stamp: string;
  readonly modules: Promise<ModelModules | PlainFault>;
}

/** Base models of configs. Headers are read once, and again when a file has changed. */
export class BaseModels {
  private readonly kept = new Map<string, Kept>();

  /** Never throws for what a config or a file says. */
  async find(reference: BaseReference | null, places: BasePlaces): Promise<BaseModel> {
    const resolved = await resolveBase(reference, places);
    if (resolved.state !== "found") return resolved;
    const modules = await this.modulesOf(resolved.file);
    return "code" in modules ? { state: "broken", fault: modules } : { state: "found", from: resolved.from, modules };
  }

  private async modulesOf(file: string): Promise<ModelModules | PlainFault> {
    const stamp = await stampOf(file);
    const known = this.kept.get(file);
    if (known?.stamp === stamp) return known.modules;
    const modules = readModules(file);
    this.kept.delete(file);
    this.kept.set(file, { stamp, modules });
    const [oldest] = this.kept.keys();
    if (this.kept.size > MOST_KEPT && oldest !== undefined) this.kept.delete(oldest);
    return modules;
  }
}

/** Size and time of the file and of config.json beside it. */
async function stampOf(file: string): Promise<string> {
  const each = await Promise.all([file, join(dirname(file), "config.json")].map((path) => stat(path).then(({ size, mtimeMs }) => `${size}@${mtimeMs}`, () => "none")));
  return each.join(" ");
}

async function readModules(file: string): Promise<ModelModules | PlainFault> {
  try {
    const [model, config] = await Promise.all([openModel(file, { smallestTensor: 1 }), configBeside(file)]);
    try {
      return modulesOf(model, config);
    } finally {
      await model.close();
    }
  } catch (error) {
    if (error instanceof Fault) return error.toPlain();
    throw error;
  }
}
