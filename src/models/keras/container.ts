import { basename } from "node:path";
import { Fault } from "../../shared/fault";
import type { FileBytes } from "../fileBytes";
import type { ByteSource } from "../pagedBytes";
import { openHdf5, type Hdf5File } from "../hdf5/file";
import { ZipArchive, type ZipEntry } from "../zip";
import { NO_CONFIG, parseConfig, type ModelConfig } from "./config";

/** A Keras model's weights, and what it says of itself. */
export interface Container {
  readonly weights: Hdf5File;
  readonly config: ModelConfig;
  /** Names of layers in the model's order, where they are stored. */
  readonly layerNames: readonly string[];
  readonly notes: readonly string[];
}

const ZIP = "PK";
const CONFIG = "config.json", METADATA = "metadata.json", WEIGHTS = "model.weights.h5";
/** Config of a model, in bytes: each of 100,000 layers would have a kilobyte. */
const LONGEST_CONFIG = 128 * 1024 * 1024;
const ATTRIBUTE = /^(?:model_config|keras_version|backend|layer_names\d*)$/;

/** @throws Fault malformed, truncated, unsupported, too-large */
export async function openContainer(file: FileBytes): Promise<Container> {
  const first = Buffer.from(await file.read(0, Math.min(2, file.size))).toString("latin1");
  return first === ZIP ? openArchive(file) : openH5({ name: basename(file.path), size: file.size, read: (offset, length) => file.read(offset, length) });
}

/** HDF5 of Keras 1 and 2 with the model's config, or weights alone. */
async function openH5(source: ByteSource): Promise<Container> {
  const weights = await openHdf5(source, (name) => ATTRIBUTE.test(name));
  const attributes = new Map([...(weights.attributes.get("") ?? []), ...(weights.attributes.get("model_weights") ?? [])]);
  const text = attributes.get("model_config")?.[0];
  const config = text === undefined ? NO_CONFIG : parseConfig(text);
  // Long lists are split: layer_names0, layer_names1, …
  const layerNames = [...attributes].filter(([name]) => name.startsWith("layer_names")).flatMap(([, names]) => names);
  const version = attributes.get("keras_version")?.[0];
  return { weights, config: config ?? NO_CONFIG, layerNames, notes: notesOf(version, text === undefined ? null : config, text !== undefined) };
}

/** `.keras` of Keras 3: a zip archive of the config and the weights. */
async function openArchive(file: FileBytes): Promise<Container> {
  const name = basename(file.path);
  const archive = await ZipArchive.open(file);
  const entry = archive.entries.get(WEIGHTS);
  if (entry === undefined) throw new Fault("malformed", `${name} is a zip archive without ${WEIGHTS}: it is no Keras model.`, "Check what the file is, and its ending.");
  if (entry.problem !== null) throw new Fault("unsupported", `${WEIGHTS} of ${name} cannot be read: ${entry.problem}.`, "Save the model again.");
  const textOf = async (wanted: string): Promise<string | null> => {
    const found = archive.entries.get(wanted);
    if (found === undefined || found.problem !== null || found.size > LONGEST_CONFIG) return null;
    return Buffer.from(await archive.read(wanted, 0, found.size)).toString();
  };
  const text = await textOf(CONFIG);
  const config = text === null ? null : parseConfig(text);
  const weights = await openHdf5({ name: `${WEIGHTS} of ${name}`, size: entry.size, read: await readerOf(archive, entry, name) }, (attribute) => ATTRIBUTE.test(attribute));
  return { weights, config: config ?? NO_CONFIG, layerNames: [], notes: notesOf(versionOf(await textOf(METADATA)), config, text !== null) };
}

/** Packed weights, which Keras never writes, are unpacked as a whole: HDF5 is read all over the place. */
const MOST_UNPACKED = 512 * 1024 * 1024;

async function readerOf(archive: ZipArchive, { size, isPacked }: ZipEntry, name: string): Promise<ByteSource["read"]> {
  if (!isPacked) return (offset, length) => archive.read(WEIGHTS, offset, length);
  if (size > MOST_UNPACKED) throw new Fault("unsupported", `${WEIGHTS} of ${name} is packed, and would be ${size} bytes.`, "Save the model again with Keras, which does not pack it.");
  const whole = await archive.read(WEIGHTS, 0, size);
  return async (offset, length) => whole.slice(offset, offset + length);
}

function versionOf(metadata: string | null): string | undefined {
  try {
    const { keras_version: version } = JSON.parse(metadata ?? "{}") as { keras_version?: unknown };
    return typeof version === "string" ? version : undefined;
  } catch {
    return undefined;
  }
}

/** Longest version that is repeated. */
const LONGEST_VERSION = 40;

function notesOf(version: string | undefined, config: ModelConfig | null, hasConfig: boolean): string[] {
  return [
    ...(version === undefined ? [] : [`Keras ${version.slice(0, LONGEST_VERSION)}`]),
    ...(config?.className === undefined || config.className === null ? [] : [`${config.className.slice(0, LONGEST_VERSION)} model`]),
    ...(hasConfig ? (config === null ? ["its config cannot be read: kinds of layers are taken from names and shapes"] : []) : ["weights without a config: kinds of layers are taken from names and shapes"]),
  ];
}
