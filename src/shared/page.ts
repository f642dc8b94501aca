import type { PlainFault } from "./fault";
import type { EngineMethods, ExportFormat, OpenedModel } from "./protocol";
import type { Progress } from "./report";

/**
 * What the report page asks of its host: the engine's methods without the path, and the editor's services.
 *
 * The host's document (`src/vscode/reportHtml.ts`) is `<div id="root">`, dist/webview/report.css and, at the end of
 * the body, dist/webview/report.js, under a policy without inline style or script. "Analyze Ranks" starts the
 * analysis before the page asks `open`, whose answer then says `queued` or `running`; a plain open starts none.
 */
export interface PageMethods {
  open: { params: null; result: OpenedModel };
  /** Starts the analysis or joins a running one, and answers at once: how it goes and ends (faults too) is told by progress. */
  analyze: { params: null; result: null };
  cancel: { params: null; result: null };
  rows: { params: Omit<EngineMethods["rows"]["params"], "path">; result: EngineMethods["rows"]["result"] };
  spectrum: { params: { id: number }; result: EngineMethods["spectrum"]["result"] };
  map: { params: null; result: EngineMethods["map"]["result"] };
  skipped: { params: { start: number; end: number }; result: EngineMethods["skipped"]["result"] };
  /** Asks for a file and writes the report there; `saved` is null when the person cancelled. */
  export: { params: { format: ExportFormat }; result: { saved: string | null } };
  exportPng: { params: { base64: string }; result: { saved: string | null } };
  copy: { params: { text: string }; result: null };
  /** Opens the compression wizard for the whole model (`only` null), or for these layers alone. */
  factorize: { params: { only: readonly string[] | null }; result: null };
  showLog: { params: null; result: null };
}

export type PageMethod = keyof PageMethods;

export type PageToHost = {
  [M in PageMethod]: { readonly id: number; readonly method: M; readonly params: PageMethods[M]["params"] };
}[PageMethod];

/**
 * Answers carry the request's id; progress comes unasked and may be lost while the page is hidden.
 * `changed`: the model's files were written again, its results were forgotten, or settings changed which rows it
 * has. What the page shows is of the past: it asks `open` again, and then for the rows it shows. Nothing starts to compute by it.
 */
export type HostToPage =
  | { readonly type: "answer"; readonly id: number; readonly result: unknown }
  | { readonly type: "fault"; readonly id: number; readonly fault: PlainFault }
  | { readonly type: "progress"; readonly progress: Progress }
  | { readonly type: "changed" };
