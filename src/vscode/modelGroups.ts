import { posix } from "node:path";
import { STANDING_FILES, withoutShards } from "../shared/modelFolder";

/** A model of the workspace: a file, or a folder that a file stands for. */
export interface ModelEntry {
  readonly kind: "model";
  /** Absolute path. */
  readonly path: string;
  /** Of the file; of the folder where that is one model. */
  readonly name: string;
}

/** Model files of one folder. */
export interface FolderEntry {
  readonly kind: "folder";
  /** Path within the workspace, with the workspace folder's name in front where there are several. */
  readonly label: string;
  readonly models: readonly ModelEntry[];
}

/** Found by a search: where it lies, and where that is within the workspace. */
export interface FoundFile {
  readonly path: string;
  /** With forward slashes, as `workspace.asRelativePath` gives it. */
  readonly relative: string;
}

const STANDING: ReadonlySet<string> = new Set(STANDING_FILES);
/** "layer 2" before "layer 10". */
const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/**
 * Models by folder, sorted by name; the shards of an indexed checkpoint left out. A folder that holds one model under a
 * name that all such folders give it ("model.safetensors") is that model, in the folder above.
 * @param rootLabel what the workspace's own folder is called
 */
export function groupModels(files: readonly FoundFile[], rootLabel: string): FolderEntry[] {
  const kept = new Set(withoutShards(files.map(({ path }) => path)));
  const byFolder = new Map<string, FoundFile[]>();
  for (const file of files) {
    if (!kept.has(file.path)) continue;
    const folder = posix.dirname(file.relative);
    const beside = byFolder.get(folder) ?? [];
    byFolder.set(folder, beside);
    beside.push(file);
  }
  const folders = new Map<string, ModelEntry[]>();
  for (const [own, models] of byFolder) {
    const isOne = own !== "." && isModelFolder(models.map(({ relative }) => posix.basename(relative)));
    const folder = isOne ? posix.dirname(own) : own;
    const entries = models.map(({ path, relative }): ModelEntry => ({ kind: "model", path, name: posix.basename(isOne ? own : relative) }));
    folders.set(folder, [...(folders.get(folder) ?? []), ...entries]);
  }
  return [...folders]
    .sort(([a], [b]) => (a === "." ? -1 : b === "." ? 1 : byName.compare(a, b)))
    .map(([folder, models]) => ({
      kind: "folder",
      label: folder === "." ? rootLabel : folder,
      models: models.sort((a, b) => byName.compare(a.name, b.name)),
    }));
}

function isModelFolder(names: readonly string[]): boolean {
  const [name = ""] = names;
  return names.length === 1 && STANDING.has(name.toLowerCase());
}
