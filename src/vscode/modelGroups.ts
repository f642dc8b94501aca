import { posix } from "node:path";
import { withoutShards } from "./modelFiles";

/** A model file of the workspace. */
export interface ModelEntry {
  readonly kind: "model";
  /** Absolute path. */
  readonly path: string;
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

/** "layer 2" before "layer 10". */
const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/**
 * Models by folder, sorted by name; the shards of an indexed checkpoint left out.
 * @param rootLabel what the workspace's own folder is called
 */
export function groupModels(files: readonly FoundFile[], rootLabel: string): FolderEntry[] {
  const kept = new Set(withoutShards(files.map(({ path }) => path)));
  const folders = new Map<string, ModelEntry[]>();
  for (const { path, relative } of files) {
    if (!kept.has(path)) continue;
    const folder = posix.dirname(relative);
    const models = folders.get(folder) ?? [];
    folders.set(folder, models);
    models.push({ kind: "model", path, name: posix.basename(relative) });
  }
  return [...folders]
    .sort(([a], [b]) => (a === "." ? -1 : b === "." ? 1 : byName.compare(a, b)))
    .map(([folder, models]) => ({
      kind: "folder",
      label: folder === "." ? rootLabel : folder,
      models: models.sort((a, b) => byName.compare(a.name, b.name)),
    }));
}
