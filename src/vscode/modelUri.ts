import { basename } from "node:path";
import type * as vscode from "vscode";
import { Fault } from "../shared/fault";
import { isModelFile, MODEL_ENDINGS } from "./modelFiles";
import type { Translate } from "./translate";

/**
 * The path of a model that the engine can read.
 * @throws Fault when it is in no folder of this machine, or no model file
 */
export function modelPath(uri: Pick<vscode.Uri, "scheme" | "fsPath" | "path">, t: Translate): string {
  const name = basename(uri.path);
  if (uri.scheme !== "file") {
    throw new Fault("unsupported", t("{0} is not on a disk of this machine ({1}): RankLens reads parts of files, which this place cannot give.", name, uri.scheme), t("Open the file from a local folder, or the folder over SSH, WSL or a container."));
  }
  if (!isModelFile(uri.fsPath)) {
    throw new Fault("unknown-format", t("{0} is not a model file that RankLens reads.", name), t("It reads {0}.", MODEL_ENDINGS.join(", ")));
  }
  return uri.fsPath;
}
