import { useEffect, useState } from "preact/hooks";
import type { PlainFault } from "../../../src/shared/fault";
import type { Job, ReadyWish, Run, WizardTarget } from "../../../src/shared/wizardPage";
import { asFault } from "../../components/pageHost";
import type { WizardHost } from "../host";

/** What the window knows beyond the page: its model, what is being written, and what was. */
export interface WindowState {
  /** False until the host has answered. */
  readonly started: boolean;
  readonly target: WizardTarget | null;
  readonly job: Job | null;
  /** What it was making ready when the page came. */
  readonly readying: ReadyWish | null;
  /** Why the last job failed, and the run that it left. */
  readonly jobFault: PlainFault | null;
  readonly lastRun: string | null;
  readonly history: readonly Run[];
}

/** Asked for at first, and again when the page is shown: what was told to a hidden page is lost. */
export function useWindow(host: WizardHost, remembered: string | null): WindowState & { readonly dismissJobFault: () => void } {
  const [state, setState] = useState<WindowState>({ started: false, target: null, job: null, readying: null, jobFault: null, lastRun: null, history: [] });
  useEffect(() => {
    const change = (changes: Partial<WindowState>): void => setState((known) => ({ ...known, ...changes }));
    const start = (): void => void host.request("start", { path: remembered }).then(
      ({ target, job, readying, history }) => change({ started: true, target, job, readying, history }),
      (error: unknown) => change({ started: true, jobFault: asFault(error) }),
    );
    const end = host.onNews((news) => {
      switch (news.type) {
        case "target": return change({ target: news.target, jobFault: null, lastRun: null });
        case "job": return change({ job: news.job, jobFault: news.fault, ...(news.job === null ? { lastRun: news.run } : {}) });
        case "history": return change({ history: news.history });
        case "progress": case "work": case "changed": return;
      }
    });
    const onVisibility = (): void => {
      if (document.visibilityState === "visible") start();
    };
    document.addEventListener("visibilitychange", onVisibility);
    start();
    return () => {
      end();
      document.removeEventListener("visibilitychange", onVisibility);
    };
  }, [host]);
  return { ...state, dismissJobFault: () => setState((known) => ({ ...known, jobFault: null })) };
}
