import type { PlainFault } from "../../../src/shared/fault";
import type { HostToWizard, ReadyWish, Run, WizardMethods, WizardTarget } from "../../../src/shared/wizardPage";
import type { Progress } from "../../../src/shared/report";
import type { WizardStandIn } from "../support/wizardStandInApi";
import { showTheme, STATE } from "./editor";
import { madeUpCurve, madeUpLadders, madeUpProposal, readyPlanning, wizardLayers, type Known } from "./wizardModel";

/** Stands in for the editor around the wizard, with a made-up network. The address says which model and which theme. */
const parameters = new URLSearchParams(location.search);
const model = parameters.get("model") ?? "wizard";
const layers = wizardLayers(model === "many" ? 400 : 8);
const path = "/home/ada/models/net.onnx";
let target: WizardTarget | null = model === "none" ? null : { path, output: "/home/ada/models/net.factorized", only: null, asked: 0 };
let analyzed = model !== "unanalyzed";
let known: Known = { counted: false, unasked: model !== "large" && model !== "unrunnable", made: [], timed: null, graph: model !== "weights" };
/** What `ready` was asked for; it goes on while the page is loaded anew, as the window's does. */
let readying: { readonly id: number; readonly wish: ReadyWish } | null = null;
let refusal: PlainFault | null = null;
let hasNoCurves = false;
let history: readonly Run[] = [];
let progress: Progress = { path, state: analyzed ? "done" : "idle", done: analyzed ? 12 : 0, failed: 0, total: 12, estimated: 0, current: [], elapsedMs: 0, etaMs: null, ahead: 0, fault: null };
const requests: { method: string; params: unknown }[] = [];
const total = layers.reduce((sum, layer) => sum + layer.parameters, 0);

const post = (message: HostToWizard): void => void setTimeout(() => postMessage(message, "*"), 0);
const done = (): null => null;

const answers: { readonly [M in keyof WizardMethods]: (params: WizardMethods[M]["params"]) => WizardMethods[M]["result"] | PlainFault } = {
  start: () => ({ target, job: null, readying: null, history }),
  chooseModel: () => {
    standIn.tellTarget({});
    return { path };
  },
  open: () => ({ summary: { path, format: "onnx", parameters: total, bytes: 4 * total, tensors: layers.length, notes: [] }, rows: 12, skipped: 0, progress }),
  analyze: done, cancelAnalysis: done,
  planning: ({ count }) => {
    if (count === true && model === "unrunnable") return { code: "unsupported", message: "The multiply-adds of net.onnx are not known.", next: "Give a budget in parameters or bytes." };
    if (count === true) known = { ...known, counted: true };
    return analyzed ? readyPlanning(layers, known) : { state: "unanalyzed", missing: 12, total: 12 };
  },
  ready: ({ draft }) => {
    const latency = draft.wish.kind === "budget" && draft.wish.unit === "latency";
    if (draft.wish.kind === "budget" && draft.wish.unit === "macs") {
      if (model === "unrunnable") return { code: "unsupported", message: "The multiply-adds of net.onnx are not known.", next: "Give a budget in parameters or bytes." };
      known = { ...known, counted: true };
    }
    const needed = readyPlanning(layers, known).choices.schemes.find(({ id }) => id === draft.scheme)?.schemes ?? [];
    known = { ...known, made: [...new Set([...known.made, ...needed.filter((id) => !["svd", "channel", "spatial"].includes(id))])], timed: latency ? [...new Set([...(known.timed ?? []), ...needed])] : known.timed };
    return readyPlanning(layers, known);
  },
  cancelReady: () => {
    readying = null;
    return null;
  },
  propose: ({ draft }) => refusal ?? madeUpProposal(layers, draft, known),
  curve: ({ draft }) => madeUpCurve(layers, draft, draft.wish.kind === "budget" ? draft.wish.unit : "params"),
  ladders: ({ name }) => madeUpLadders(layers.find((layer) => layer.name === name)!, known),
  chooseOutput: () => ({ path: "/home/ada/small/net.onnx" }),
  chooseData: () => ({ path: "/home/ada/data/inputs.npz" }),
  apply: done, applyAgain: done, verify: done, cancel: done,
  exportPlan: () => ({ saved: "/home/ada/models/net.plan.json" }),
  openReport: done, reveal: done, copy: done, undo: done, forgetRun: done, showLog: done,
};

function receive({ id, method, params }: { readonly id: number; readonly method: keyof WizardMethods; readonly params: unknown }): void {
  requests.push({ method, params });
  // Work that takes long ends when the test says so.
  if (method === "ready" && model !== "unrunnable" && !isCounting(params as ReadyWish)) {
    readying = { id, wish: params as ReadyWish };
    return;
  }
  if (method === "curve" && hasNoCurves) return;
  const answer = answers[method] as (params: unknown) => unknown;
  const result = answer(params);
  const isFault = typeof result === "object" && result !== null && "code" in result;
  post(isFault ? { type: "fault", id, fault: result as PlainFault } : { type: "answer", id, result });
}

function isCounting({ draft: { wish } }: ReadyWish): boolean {
  return wish.kind === "budget" && wish.unit === "macs";
}

const standIn: WizardStandIn = {
  requests, showTheme,
  tellProgress: (changes) => {
    progress = { ...progress, ...changes };
    post({ type: "progress", progress });
  },
  tellWork: (work) => post({ type: "work", work: { path, task: "latency", layer: "", done: 0, total: 0, ...work } }),
  endReady: (fault) => {
    if (readying === null) return;
    const { id, wish } = readying;
    readying = null;
    post(fault === null ? { type: "answer", id, result: answers.ready(wish) } : { type: "fault", id, fault });
  },
  tellTarget: (changes) => {
    target = { path, output: "/home/ada/models/net.factorized", only: null, asked: (target?.asked ?? 0) + 1, ...changes };
    post({ type: "target", target });
  },
  tellJob: (job, end = {}) => post({ type: "job", job: job === null ? null : { kind: "apply", path, output: "/home/ada/models/net.factorized.onnx", layer: "", done: 0, total: 0, ...job }, fault: end.fault ?? null, run: end.run ?? null }),
  addRun: (changes) => {
    history = [{
      id: "run1", time: "2026-11-24T19:00:00.000Z", path, output: "/home/ada/models/net.factorized.onnx", draft: null, as: "factored", error: 0.12, factorized: 8, latencyShare: null,
      applied: { written: ["/home/ada/models/net.factorized.onnx"], before: { parameters: total, bytes: 4 * total }, after: { parameters: Math.round(0.6 * total), bytes: Math.round(2.4 * total) } },
      check: {
        kind: "run", inputs: "seeded random inputs of the graph's shapes", seeded: true, batches: 4, outputs: [{ name: "logits", relativeError: 0.083, cosine: 0.9966, largestDifference: 0.41, topOneAgreement: 0.975 }],
        latency: { original: { medianMs: 4.21, p90Ms: 4.9 }, candidate: { medianMs: 5.02, p90Ms: 5.6 } }, peakMemory: { original: 61_500_000, candidate: 48_200_000 },
      },
      checkFault: null, undone: false, ...changes,
    }, ...history];
    post({ type: "history", history });
  },
  analyzed: () => {
    analyzed = true;
    standIn.tellProgress({ state: "done", done: 12 });
  },
  refuse: (fault) => void (refusal = fault),
  withholdCurves: () => void (hasNoCurves = true),
};

Object.assign(globalThis, {
  standIn,
  acquireVsCodeApi: () => ({
    postMessage: (message: unknown) => receive(structuredClone(message) as Parameters<typeof receive>[0]),
    getState: () => JSON.parse(sessionStorage.getItem(STATE) ?? "null") as unknown,
    setState: (state: unknown) => sessionStorage.setItem(STATE, JSON.stringify(state)),
  }),
});
showTheme(parameters.get("theme") ?? "dark");
