import { readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { formatOf } from "../../models/formats";
import { Fault, type PlainFault } from "../../shared/fault";
import { modelOfFolder } from "../../shared/modelFolder";
import { cachedSnapshot, DEFAULT_REVISION, hubCache, isRepositoryId, type HubEnvironment } from "./hubCache";
import { missingShards } from "./shards";

/** What a config says of its base model. */
export interface BaseReference {
  /** A path or the id of a repository. */
  readonly text: string;
  /** Branch, tag or commit; null for the default one. */
  readonly revision: string | null;
}

/** Where to look. */
export interface BasePlaces extends HubEnvironment {
  /** A path that the person chose for this workspace, instead of what configs say; null for none. */
  readonly chosen: string | null;
  /** Folders that relative paths may start from, the config's own first, then the workspace's. */
  readonly folders: readonly string[];
}

/** Where the base model is, or why its header cannot be read. */
export type ResolvedBase =
  | { readonly state: "found"; readonly file: string; readonly from: "setting" | "path" | "cache" }
  /** On no disk that was looked at. `id`: it has the form of a repository's. */
  | { readonly state: "absent"; readonly text: string; readonly id: boolean; readonly looked: readonly string[] }
  /** Some files are there: `missing` names those that are not, as far as it is known. */
  | { readonly state: "downloading"; readonly folder: string; readonly missing: readonly string[] }
  | { readonly state: "broken"; readonly fault: PlainFault };

/** Parts of a diffusion pipeline that are trained, the first that is there. */
const TRAINED_PARTS = ["transformer", "unet"] as const;
const PIPELINE = "model_index.json";

/** This process's environment. */
export function environmentHere(): HubEnvironment {
  return { variables: process.env, home: homedir() };
}

/**
 * Finds the base model of a config on this machine; nothing is downloaded.
 * @param reference null where the config says nothing that can be used
 */
export async function resolveBase(reference: BaseReference | null, places: BasePlaces): Promise<ResolvedBase> {
  if (places.chosen !== null) return found(await pathOf(places.chosen, places) ?? places.chosen, "setting");
  if (reference === null) return { state: "absent", text: "", id: false, looked: [] };
  const path = await pathOf(reference.text, places);
  if (path !== null) return found(path, "path");
  const id = isRepositoryId(reference.text);
  if (!id) return { state: "absent", text: reference.text, id, looked: candidates(reference.text, places) };
  const cache = hubCache(places);
  const cached = await cachedSnapshot(cache, reference.text, reference.revision ?? DEFAULT_REVISION);
  if (cached.found === "snapshot") return inSnapshot(cached.folder, cached.downloading, reference.text, cache);
  return cached.downloading
    ? { state: "downloading", folder: cache, missing: [] }
    : { state: "absent", text: reference.text, id, looked: [...candidates(reference.text, places), cache] };
}

function candidates(text: string, { folders, home }: BasePlaces): string[] {
  const path = text.replace(/^~(?=$|[\\/])/, home);
  return isAbsolute(path) ? [path] : [...new Set(folders.map((folder) => resolve(folder, path)))];
}

async function pathOf(text: string, places: BasePlaces): Promise<string | null> {
  if (text === "" || text.includes("\0")) return null;
  for (const path of candidates(text, places)) if (await stat(path).then(() => true, () => false)) return path;
  return null;
}

async function found(path: string, from: "setting" | "path"): Promise<ResolvedBase> {
  const inside = await modelInFolder(path);
  if (typeof inside !== "string") return { state: "broken", fault: inside.toPlain() };
  const missing = await missingShards(inside);
  return missing.length === 0 ? { state: "found", file: inside, from } : { state: "downloading", folder: path, missing };
}

/** A snapshot may hold the tokenizer alone, or part of the shards. */
async function inSnapshot(folder: string, downloading: boolean, text: string, cache: string): Promise<ResolvedBase> {
  const inside = await modelInFolder(folder);
  if (typeof inside !== "string") return downloading ? { state: "downloading", folder, missing: [] } : { state: "absent", text, id: true, looked: [cache] };
  const missing = await missingShards(inside);
  return missing.length === 0 ? { state: "found", file: inside, from: "cache" } : { state: "downloading", folder, missing };
}

/** The file that stands for the model at a path: of a pipeline, its trained part. */
async function modelInFolder(path: string): Promise<string | Fault> {
  const names: readonly string[] | null = await readdir(path).catch((error: unknown) => (error as NodeJS.ErrnoException).code === "ENOTDIR" ? null : ([] as string[]));
  if (names === null) return formatOf(path) === undefined ? new Fault("unknown-format", `${path} is not a model file that RankLens reads.`, "Choose the base model's file or folder.") : path;
  if (names.includes(PIPELINE)) {
    const part = TRAINED_PARTS.find((name) => names.includes(name));
    if (part !== undefined) return modelInFolder(join(path, part));
  }
  const model = modelOfFolder(names, (name) => formatOf(name) !== undefined);
  switch (model.found) {
    case "one": return join(path, model.name);
    case "several": return new Fault("is-a-folder", `${path} holds several models: ${model.names.slice(0, 4).join(", ")}.`, "Choose one of them as the base model.");
    case "none": return new Fault("not-found", `${path} holds no model that RankLens reads.`, "Choose the base model's file or folder.");
  }
}
