import { modelMap } from "../../../src/engine/map";
import { rowsPage } from "../../../src/engine/table";
import type { PlainFault } from "../../../src/shared/fault";
import type { HostToPage, PageMethods, PageToHost } from "../../../src/shared/page";
import type { LayerRow, Progress } from "../../../src/shared/report";
import type { StandIn } from "../support/standInApi";
import { showTheme, STATE } from "./editor";
import { measured, MODELS, type ModelName } from "./models";

/**
 * Stands in for the editor around the page: its theme, `acquireVsCodeApi`, and a host that answers with a made-up
 * model. The test drives it as `standIn`; the address says which model, which theme, and what is measured already.
 */
const parameters = new URLSearchParams(location.search);
const made = MODELS[(parameters.get("model") ?? "transformer") as ModelName]();
let rows: LayerRow[] = [...made.rows];
let openFault: PlainFault | null = parameters.has("fault")
  ? { code: "truncated", message: "The file ends at byte 4,096, in the middle of the header.", next: "Copy the file again: it is not complete." }
  : null;
let progress: Progress = { path: made.summary.path, state: "idle", done: 0, failed: 0, total: rows.length, estimated: 0, current: [], elapsedMs: 0, etaMs: null, ahead: 0, fault: null };
const requests: PageToHost[] = [];

function measure(id: number): void {
  const fault = made.faults[id];
  rows[id] = fault === undefined
    ? { ...made.rows[id]!, state: "done", measures: measured(made, id) }
    : { ...made.rows[id]!, state: "failed", fault: { code: "not-finite", message: fault, next: "Find out which step of the training wrote it." } };
}

function counted(changes: Partial<Progress>): Progress {
  const count = (state: LayerRow["state"]): number => rows.filter((row) => row.state === state).length;
  return { ...progress, done: count("done"), failed: count("failed"), ...changes };
}

const answers: { readonly [M in keyof PageMethods]: (params: PageMethods[M]["params"]) => PageMethods[M]["result"] | PlainFault } = {
  open: () => openFault ?? { summary: made.summary, rows: rows.length, skipped: made.skipped.length, progress },
  analyze: () => {
    standIn.tell({ state: "running", current: [made.rows[0]!.name], etaMs: 95_000 });
    return null;
  },
  cancel: () => {
    standIn.tell({ state: "cancelled", current: [], etaMs: null });
    return null;
  },
  rows: (query) => rowsPage(rows, query),
  spectrum: ({ id }) => ({ row: rows[id]!, singularValues: rows[id]!.state === "done" ? made.spectra[id]! : [] }),
  map: () => modelMap(rows),
  skipped: ({ start, end }) => ({ total: made.skipped.length, items: made.skipped.slice(start, end) }),
  export: ({ format }) => (format === "json"
    ? { code: "no-permission", message: "/home/ada/report.json cannot be written.", next: "Choose another folder." }
    : { saved: `/home/ada/report.${format}` }),
  exportPng: () => ({ saved: "/home/ada/report.png" }),
  copy: () => null,
  factorize: () => null,
  showLog: () => null,
};

const post = (message: HostToPage): void => void setTimeout(() => postMessage(message, "*"), 0);

function receive(request: PageToHost): void {
  requests.push(request);
  const answer = answers[request.method] as (params: unknown) => unknown;
  const result = answer(request.params);
  const isFault = typeof result === "object" && result !== null && "code" in result;
  post(isFault ? { type: "fault", id: request.id, fault: result as PlainFault } : { type: "answer", id: request.id, result });
}

const standIn: StandIn = {
  requests,
  showTheme,
  measureTo: (count) => rows.slice(0, count).forEach((_, id) => measure(id)),
  setRow: (id, changes) => void (rows[id] = { ...rows[id]!, ...changes }),
  tell: (changes) => {
    progress = counted(changes);
    post({ type: "progress", progress });
  },
  become: (changes) => void (progress = counted(changes)),
  forgetAll: () => {
    rows = [...made.rows];
    progress = counted({ state: "idle" });
    post({ type: "changed" });
  },
  repair: () => void (openFault = null),
};

Object.assign(globalThis, {
  standIn,
  acquireVsCodeApi: () => ({
    postMessage: (message: PageToHost) => receive(structuredClone(message)),
    getState: () => JSON.parse(sessionStorage.getItem(STATE) ?? "null") as unknown,
    setState: (state: unknown) => sessionStorage.setItem(STATE, JSON.stringify(state)),
  }),
});
showTheme(parameters.get("theme") ?? "dark");
if (parameters.get("measured") === "all") {
  standIn.measureTo(rows.length);
  progress = counted({ state: "done", elapsedMs: 4200 });
}
