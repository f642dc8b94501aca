import type { PlainFault } from "../../../src/shared/fault";
import type { Work } from "../../../src/shared/planning";
import type { Job, Run, WizardTarget } from "../../../src/shared/wizardPage";
import type { Progress } from "../../../src/shared/report";

/** How a test drives the stand-in for the editor around the wizard: the page's global `standIn`. */
export interface WizardStandIn {
  /** What the page asked for, oldest first. */
  readonly requests: readonly { readonly method: string; readonly params: unknown }[];
  readonly showTheme: (name: string) => void;
  readonly tellProgress: (changes: Partial<Progress>) => void;
  /** How far that is what a choice needs. */
  readonly tellWork: (work: Partial<Work>) => void;
  /** Answers `ready`, which ladders and measurements wait for: null, it is made. */
  readonly endReady: (fault: PlainFault | null) => void;
  readonly tellTarget: (changes: Partial<WizardTarget>) => void;
  /** What is being written; null ends it, with a run or a fault. */
  readonly tellJob: (job: Partial<Job> | null, end?: { readonly fault?: PlainFault; readonly run?: string }) => void;
  readonly addRun: (changes: Partial<Run>) => void;
  /** The analysis is there from now on. */
  readonly analyzed: () => void;
  /** What `propose` answers from now on; null: proposals again. */
  readonly refuse: (fault: PlainFault | null) => void;
  /** No curve is answered from now on. */
  readonly withholdCurves: () => void;
}
