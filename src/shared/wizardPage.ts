import type { PlainFault } from "./fault";
import type { Applied, Curve, Draft, LayerLadder, ModelCheck, Planning, Proposal, Work } from "./planning";
import type { OpenedModel } from "./protocol";
import type { Progress } from "./report";

/** What the wizard's page asks of its host. Work that takes long is started and answered at once; how it goes is told. */
export interface WizardMethods {
  /** The page is there: what it worked on before, by its own memory. */
  start: { params: { path: string | null }; result: WizardStart };
  /** Asks the person for a model; null when they choose none. */
  chooseModel: { params: null; result: { path: string | null } };
  open: { params: { path: string }; result: OpenedModel };
  /** Starts the analysis or joins a running one; progress is told. */
  analyze: { params: { path: string }; result: null };
  cancelAnalysis: { params: { path: string }; result: null };
  /** count: multiply-adds too, for which a graph is run once. */
  planning: { params: { path: string; as: string; count?: boolean }; result: Planning };
  /** Makes what a draft needs: ladders, multiply-adds, measured latency. How it goes is told. */
  ready: { params: ReadyWish; result: Planning };
  /** Ends what `ready` started. */
  cancelReady: { params: null; result: null };
  propose: { params: { path: string; draft: Draft }; result: Proposal };
  curve: { params: { path: string; draft: Draft }; result: Curve | null };
  ladders: { params: { path: string; as: string; name: string }; result: readonly LayerLadder[] };
  /** Asks for the place of the output; null when the person thought better of it. */
  chooseOutput: { params: { suggested: string }; result: { path: string | null } };
  /** Asks for a file of inputs. */
  chooseData: { params: null; result: { path: string | null } };
  /** Writes the draft's model, and checks it then. Asks first when it would replace a file. */
  apply: { params: { path: string; draft: Draft; output: string; check: CheckWish | null }; result: null };
  /** Writes a run's plan again, as it was. */
  applyAgain: { params: { id: string }; result: null };
  verify: { params: { id: string; data: string | null }; result: null };
  /** Stops what `apply`, `applyAgain` or `verify` started. */
  cancel: { params: null; result: null };
  /** Writes a plan's file where the person says: of a draft, or of a run. */
  exportPlan: { params: { path: string; draft: Draft } | { id: string }; result: { saved: string | null } };
  openReport: { params: { path: string }; result: null };
  reveal: { params: { path: string }; result: null };
  copy: { params: { text: string }; result: null };
  /** Deletes what a run wrote, after the person confirmed it. */
  undo: { params: { id: string }; result: null };
  /** Takes a run off the history; files stay. */
  forgetRun: { params: { id: string }; result: null };
  showLog: { params: null; result: null };
}

/** A draft whose needs are made. */
export interface ReadyWish {
  readonly path: string;
  readonly draft: Draft;
}

/** data null: seeded inputs. */
export interface CheckWish {
  readonly data: string | null;
}

export interface WizardStart {
  readonly target: WizardTarget | null;
  readonly job: Job | null;
  /** What `ready` was asked for and is on the way. */
  readonly readying: ReadyWish | null;
  readonly history: readonly Run[];
}

/** A model to work on. */
export interface WizardTarget {
  readonly path: string;
  /** Where the factorized model would go, beside the source, without its ending. */
  readonly output: string;
  /** Only these layers are included; null: those that are on by default. */
  readonly only: readonly string[] | null;
  /** Counts up when a person asks for a model anew: what the page remembers of it yields to `only`. */
  readonly asked: number;
}

/** What the window writes or checks now: one at a time. */
export interface Job {
  readonly kind: "plan" | "apply" | "verify";
  readonly path: string;
  readonly output: string;
  readonly layer: string;
  readonly done: number;
  readonly total: number;
}

/** A model that was written, with the settings it was written by. */
export interface Run {
  readonly id: string;
  /** ISO 8601. */
  readonly time: string;
  readonly path: string;
  readonly output: string;
  /** null: written from a plan that no draft is known of. */
  readonly draft: Draft | null;
  readonly as: string;
  /** Estimated when it was planned: root mean square of the layers' relative errors. */
  readonly error: number;
  readonly factorized: number;
  /** What a budget of latency left of the original's; null under another wish. */
  readonly latencyShare: number | null;
  readonly applied: Applied;
  readonly check: ModelCheck | null;
  readonly checkFault: PlainFault | null;
  /** Its files were deleted by `undo`. */
  readonly undone: boolean;
}

/** Answers carry the request's id; the rest comes unasked and may be lost while the page is hidden: it starts again then. */
export type HostToWizard =
  | { readonly type: "answer"; readonly id: number; readonly result: unknown }
  | { readonly type: "fault"; readonly id: number; readonly fault: PlainFault }
  | { readonly type: "progress"; readonly progress: Progress }
  | { readonly type: "work"; readonly work: Work }
  | { readonly type: "target"; readonly target: WizardTarget }
  /** job null: it ended; `fault` says why it failed, `run` what it left. */
  | { readonly type: "job"; readonly job: Job | null; readonly fault: PlainFault | null; readonly run: string | null }
  | { readonly type: "history"; readonly history: readonly Run[] }
  /** What is known of the model is of the past. */
  | { readonly type: "changed"; readonly path: string | null };
