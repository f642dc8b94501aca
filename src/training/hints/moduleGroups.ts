import { adapterParameters, fullRank } from "../adapterSize";
import type { AdaptedModule } from "../adapted";
import type { BaseModule } from "../base/modelModules";

/** Modules of one name, shape and rank, as they repeat from layer to layer. */
export interface ModuleGroup {
  /** The last part of their names: "q_proj". */
  readonly name: string;
  /** "4096 × 4096": out × in, as PyTorch writes a weight. */
  readonly shape: string;
  readonly count: number;
  readonly rank: number;
  readonly scale: number;
  readonly fullRank: number;
  readonly parameters: number;
}

/** In the order in which they first appear. */
export function groupsOf(modules: readonly AdaptedModule[], dora: boolean): ModuleGroup[] {
  const groups = new Map<string, AdaptedModule[]>();
  for (const adapted of modules) {
    const key = `${lastPart(adapted.module.name)} ${shapeText(adapted.module)} ${adapted.rank} ${adapted.scale}`;
    groups.set(key, [...(groups.get(key) ?? []), adapted]);
  }
  return [...groups.values()].map((members) => {
    const { module, rank, scale } = members[0]!;
    return { name: lastPart(module.name), shape: shapeText(module), count: members.length, rank, scale, fullRank: fullRank(module), parameters: adapterParameters(members, dora) };
  });
}

export function shapeText({ inFeatures, outFeatures, kernel }: BaseModule): string {
  return [outFeatures, inFeatures, ...kernel].join(" × ");
}

/** "q_proj" of "model.layers.0.self_attn.q_proj"; a number stays with the part before it: "to_out.0". */
export function lastPart(name: string): string {
  return /(?:[^.]+\.)?\d+$|[^.]+$/.exec(name)?.[0] ?? name;
}

/** Names that repeat, with how many modules and shapes have them: what a list of targets may hold. */
export interface NameGroup {
  readonly name: string;
  readonly modules: readonly BaseModule[];
}

export function namesOf(modules: readonly BaseModule[], nameOf: (path: string) => string = lastPart): NameGroup[] {
  const groups = new Map<string, BaseModule[]>();
  for (const module of modules) {
    const name = nameOf(module.name);
    const members = groups.get(name);
    if (members === undefined) groups.set(name, [module]);
    else members.push(module);
  }
  return [...groups].map(([name, members]) => ({ name, modules: members }));
}

/** "32 modules of 4096 × 4096", "64 modules of 2 shapes". */
export function membersText(modules: readonly BaseModule[]): string {
  const shapes = [...new Set(modules.map(shapeText))];
  const count = modules.length === 1 ? "1 module" : `${modules.length} modules`;
  return shapes.length === 1 ? `${count} of ${shapes[0]!}` : `${count} of ${shapes.length} shapes`;
}
