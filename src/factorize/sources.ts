import { readFile, stat } from "node:fs/promises";
import { basename, dirname, extname, isAbsolute, join } from "node:path";
import { Fault } from "../shared/fault";
import { formatOf } from "../models/formats";
import type { Model, OpenOptions } from "../models/model";
import { assertFree, assertOutput } from "./atomic";
import { openOnnxSource } from "./onnx/source";
import { FILE_ENDING, INDEX_ENDING } from "./safetensors/names";
import { hasPieces } from "./safetensors/pieces/open";
import { openTensorSource } from "./safetensors/source";
import { planPath, type Output, type Source } from "./source";

/** A model's layers as they can be factorized, by its format. @throws Fault unsupported, and those of the format */
export async function openSource(model: Model, options: OpenOptions, output: Output): Promise<Source> {
  const { path, format } = model.summary;
  if (format === "onnx") {
    if (output !== "factored") throw new Fault("usage", `--as ${output} is for safetensors: an ONNX graph holds the factors itself.`);
    return openOnnxSource(path, model.layers, options);
  }
  if (hasPieces(format)) return openTensorSource(model, options, output);
  throw new Fault("unsupported", `Models of the format ${format} cannot be factorized.`, "ONNX can, and safetensors, PyTorch, GGUF, Keras and NumPy, which are written as safetensors.");
}

/** How the name of a model's output ends: ONNX stays ONNX, all else becomes safetensors, and several files stay several. */
export function endingOf({ summary: { path, format }, files }: Pick<Model, "summary" | "files">): string {
  if (format === "onnx") return ".onnx";
  const isSharded = path.toLowerCase().endsWith(".index.json") || (format === "gguf" && files.length > 1);
  return isSharded ? INDEX_ENDING : FILE_ENDING;
}

function wrongEnding(ending: string, orFolder: boolean): Fault {
  const what = ending === INDEX_ENDING ? "The factorized model is of several files" : `The factorized model is ${ending === ".onnx" ? "ONNX" : "safetensors"}`;
  return new Fault("usage", `${what}: the name of the output ends in ${ending}${orFolder ? ", or is that of a folder" : ""}.`, "Choose another name.");
}

/**
 * The main file of an output that a person names: a file of the right ending, or a folder.
 * @returns its path, and whether its folder is yet to be made
 * @throws Fault usage for a name of another ending
 */
export async function outputFile(model: Model, named: string): Promise<{ readonly path: string; readonly makesFolder: boolean }> {
  const ending = endingOf(model);
  if (named.toLowerCase().endsWith(ending)) return { path: named, makesFolder: false };
  const there = await stat(named).catch(() => null);
  const isFolder = there === null ? extname(named) === "" : there.isDirectory();
  if (isFolder && formatOf(named) === undefined) return { path: join(named, ending === ".onnx" ? basename(model.summary.path) : `model${ending}`), makesFolder: there === null };
  throw wrongEnding(ending, true);
}

/**
 * Says before anything is computed that an output could not be written.
 * @param makesFolder whether its folder is yet to be made
 * @param output absolute path of its main file
 * @throws Fault usage for a name of another ending; not-written: over the original, into no folder, or in the place of another's script
 */
export async function assertWritable(source: Source, model: Model, output: string, makesFolder: boolean): Promise<void> {
  if (!isAbsolute(output)) throw new Fault("usage", `${output} is no whole path.`, "Begin with the folder that it is in.");
  if (!output.toLowerCase().endsWith(endingOf(model))) throw wrongEnding(endingOf(model), false);
  await assertOutput(output, model.files, makesFolder);
  for (const path of [planPath(output), ...source.paths(output)]) await assertFree(path, model.files);
  for (const { name, text } of source.beside) {
    const there = await readFile(join(dirname(output), name), "utf8").catch(() => null);
    if (there === null || there.split("\n")[0] === text.split("\n")[0]) continue;
    throw new Fault("not-written", `There is another ${name} in the folder of the output, which RankLens would have to overwrite.`, "Write into another folder.");
  }
}
