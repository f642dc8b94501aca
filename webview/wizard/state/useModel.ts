import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { PlainFault } from "../../../src/shared/fault";
import type { Planning } from "../../../src/shared/planning";
import type { OpenedModel } from "../../../src/shared/protocol";
import type { Progress } from "../../../src/shared/report";
import { asFault } from "../../components/pageHost";
import type { WizardHost } from "../host";

export interface ModelState {
  /** null until the header is read. */
  readonly opened: OpenedModel | null;
  readonly progress: Progress | null;
  /** null until the candidates are known. */
  readonly planning: Planning | null;
  readonly fault: PlainFault | null;
  /** Counts up when another planning came. */
  readonly revision: number;
  readonly reload: () => void;
  /** The planning with multiply-adds counted, which takes the place of the one that is there. */
  readonly count: () => Promise<Planning>;
  /** Takes a planning that comes later, unless another model's or another output's was asked for meanwhile. */
  readonly taking: () => (planning: Planning) => void;
}

interface Known {
  readonly opened: OpenedModel | null;
  readonly progress: Progress | null;
  readonly planning: Planning | null;
  readonly fault: PlainFault | null;
  readonly revision: number;
}

const NOTHING: Known = { opened: null, progress: null, planning: null, fault: null, revision: 0 };

/** The model, where its analysis stands, and its candidates for a form of the output. */
export function useModel(host: WizardHost, path: string | null, as: string): ModelState {
  const [known, setKnown] = useState(NOTHING);
  const asked = useRef(0);
  const load = useCallback((anew: boolean) => {
    const request = ++asked.current;
    const change = (changes: (before: Known) => Partial<Known>): void => {
      if (request === asked.current) setKnown((before) => ({ ...before, ...changes(before) }));
    };
    change(({ revision }) => (anew ? { ...NOTHING, revision } : { fault: null }));
    if (path === null) return;
    host.request("open", { path }).then((opened) => {
      change(() => ({ opened, progress: opened.progress }));
      return host.request("planning", { path, as });
    }).then(
      (planning) => change(({ revision }) => ({ planning, revision: revision + 1 })),
      (error: unknown) => change(() => ({ fault: asFault(error) })),
    );
  }, [host, path, as]);
  const before = useRef<string | null>(null);
  useEffect(() => {
    load(before.current !== path);
    before.current = path;
  }, [load]);
  useEffect(() => host.onNews((news) => {
    if (news.type === "changed" && (news.path === null || news.path === path)) load(true);
    if (news.type !== "progress" || news.progress.path !== path) return;
    setKnown((now) => ({ ...now, progress: news.progress }));
    if (news.progress.state === "done") load(false);
  }), [host, path, load]);
  const taking = (): ((planning: Planning) => void) => {
    const request = asked.current;
    return (planning) => {
      if (request === asked.current) setKnown((now) => ({ ...now, planning, revision: now.revision + 1 }));
    };
  };
  const count = async (): Promise<Planning> => {
    const take = taking();
    const planning = await host.request("planning", { path: path ?? "", as, count: true });
    take(planning);
    return planning;
  };
  return { ...known, reload: () => load(true), count, taking };
}
