import { readdir, readFile, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";

/** What of the environment decides where the cache is. */
export interface HubEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/** What the Hugging Face cache has of a repository at a revision. */
export type CachedSnapshot =
  | { readonly found: "snapshot"; readonly folder: string; readonly commit: string; readonly downloading: boolean }
  /** Nothing of that revision; `downloading`: a file of the repository is on its way. */
  | { readonly found: "nothing"; readonly downloading: boolean };

/** `NAME` or `OWNER/NAME` as the Hub allows them (huggingface_hub, `validate_repo_id`). */
const REPOSITORY = /^(?:[\w-][\w.-]*\/)?[\w-][\w.-]{0,95}$/;
const COMMIT = /^[0-9a-f]{40}$/;
export const DEFAULT_REVISION = "main";

export function isRepositoryId(text: string): boolean {
  return REPOSITORY.test(text) && !text.includes("--") && !text.includes("..") && !text.endsWith(".git");
}

/**
 * The folder of cached repositories, in the order of huggingface_hub (constants.py): HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE,
 * $HF_HOME/hub, where HF_HOME is $XDG_CACHE_HOME/huggingface or ~/.cache/huggingface unless it is set.
 */
export function hubCache(environment: HubEnvironment): string {
  const value = (name: string): string | undefined => {
    const set = environment.variables[name];
    return set === undefined || set === "" ? undefined : expanded(set, environment);
  };
  const home = value("HF_HOME") ?? join(value("XDG_CACHE_HOME") ?? join(environment.home, ".cache"), "huggingface");
  return value("HF_HUB_CACHE") ?? value("HUGGINGFACE_HUB_CACHE") ?? join(home, "hub");
}

/** `os.path.expanduser` and `os.path.expandvars`. */
function expanded(path: string, { home, variables }: HubEnvironment): string {
  const full = path.replace(/^~(?=$|[\\/])/, home);
  return full.replace(/\$(\w+|\{\w+\})/g, (whole, name: string) => variables[name.replace(/[{}]/g, "")] ?? whole);
}

/**
 * The snapshot of one revision: refs/REVISION names its commit. No other revision stands in for one that is missing.
 * @param id of a repository, `isRepositoryId`
 */
export async function cachedSnapshot(cache: string, id: string, revision = DEFAULT_REVISION): Promise<CachedSnapshot> {
  const repository = join(cache, `models--${id.replace("/", "--")}`);
  const downloading = await isDownloading(join(repository, "blobs"));
  const commit = await commitOf(repository, revision);
  if (commit === null) return { found: "nothing", downloading };
  const folder = join(repository, "snapshots", commit);
  const exists = await stat(folder).then((found) => found.isDirectory(), () => false);
  return exists ? { found: "snapshot", folder, commit, downloading } : { found: "nothing", downloading };
}

async function commitOf(repository: string, revision: string): Promise<string | null> {
  // A revision comes from a config: it must not lead out of the cache.
  if (revision === "" || isAbsolute(revision) || revision.split(/[\\/]/).includes("..") || revision.includes("\0")) return null;
  const named = await readFile(join(repository, "refs", revision), "utf8").then((text) => text.trim(), () => null);
  const commit = named ?? revision;
  return COMMIT.test(commit) ? commit : null;
}

async function isDownloading(blobs: string): Promise<boolean> {
  return readdir(blobs).then((names) => names.some((name) => name.endsWith(".incomplete")), () => false);
}
