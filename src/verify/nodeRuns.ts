import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { NodeRun } from "./verification";

/** An event of ONNX Runtime's profile, of which the shapes of a node are read: [{"float": [1, 16]}, …]. */
interface ProfileEvent {
  readonly name?: unknown;
  readonly args?: { readonly input_type_shape?: unknown; readonly output_type_shape?: unknown };
}

/** What the profile adds to a node's name. */
const ENDING = "_kernel_time";

/**
 * The runs of some nodes, those of subgraphs too, from a profile of ONNX Runtime.
 * @param prefix of the profile's name
 */
export async function nodeRuns(folder: string, prefix: string, nodes: readonly string[]): Promise<ReadonlyMap<string, readonly NodeRun[]>> {
  const file = (await readdir(folder)).find((name) => name.startsWith(prefix));
  const events = file === undefined ? [] : JSON.parse(await readFile(join(folder, file), "utf8")) as readonly ProfileEvent[];
  const found = new Map<string, NodeRun[]>(nodes.map((node) => [node, []]));
  for (const { name, args } of events) {
    const node = typeof name === "string" && name.endsWith(ENDING) ? name.slice(0, -ENDING.length) : "";
    found.get(node)?.push({ inputs: shapesIn(args?.input_type_shape), outputs: shapesIn(args?.output_type_shape) });
  }
  return found;
}

function shapesIn(list: unknown): number[][] {
  return Array.isArray(list) ? list.map((entry: unknown) => (Object.values(entry ?? {})[0] ?? []) as number[]) : [];
}
