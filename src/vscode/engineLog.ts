import type * as vscode from "vscode";
import type { EngineClient } from "../engine/client";

/** What the engine has to say goes to the log, with its level. */
export function engineLog(engine: Pick<EngineClient, "onLog">, log: vscode.LogOutputChannel): void {
  engine.onLog(({ level, text }) => log[level](text));
}
