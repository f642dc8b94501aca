import { useEffect, useRef, useState } from "preact/hooks";
import type { PlainFault } from "../../../src/shared/fault";
import type { Curve, Draft, Proposal } from "../../../src/shared/planning";
import { asFault } from "../../components/pageHost";
import type { WizardHost } from "../host";

export interface Answered<R> {
  /** Of the latest draft that was answered: it stays while the next one is on the way. */
  readonly value: R | null;
  readonly fault: PlainFault | null;
}

/**
 * The engine's answer to the latest question: one is on the way at a time, and those that came meanwhile but the last are
 * never asked. So dragging shows every answer that the engine can give.
 * @param key of the question; the same key is not asked again
 */
function useLatest<R>(ask: (() => Promise<R | null>) | null, key: string): Answered<R> {
  const [answer, setAnswer] = useState<Answered<R>>({ value: null, fault: null });
  const wanted = useRef<{ readonly ask: () => Promise<R | null>; readonly key: string } | null>(null);
  const busy = useRef(false);
  wanted.current = ask === null ? null : { ask, key };
  useEffect(() => {
    const next = async (): Promise<void> => {
      if (busy.current || wanted.current === null) return;
      busy.current = true;
      const question = wanted.current;
      try {
        const value = await question.ask();
        if (value !== null) setAnswer({ value, fault: null });
      } catch (error) {
        setAnswer(({ value }) => ({ value, fault: asFault(error) }));
      } finally {
        busy.current = false;
      }
      if (wanted.current !== null && wanted.current.key !== question.key) await next();
    };
    void next();
  }, [key, ask === null]);
  return answer;
}

export function useProposal(host: WizardHost, path: string | null, draft: Draft | null, revision: number): Answered<Proposal> {
  const ask = path === null || draft === null ? null : () => host.request("propose", { path, draft });
  return useLatest(ask, JSON.stringify([path, draft, revision]));
}

/** Size against error; another budget on the same curve is not another question. */
export function useCurve(host: WizardHost, path: string | null, draft: Draft | null, revision: number): Answered<Curve> {
  const along = draft === null ? null : { ...draft, wish: draft.wish.kind === "budget" ? { ...draft.wish, amount: 0 } : { kind: "budget" as const, unit: "params", amount: 0, allocation: "least-total" } };
  const ask = path === null || along === null ? null : () => host.request("curve", { path, draft: along });
  return useLatest(ask, JSON.stringify([path, along, revision]));
}
