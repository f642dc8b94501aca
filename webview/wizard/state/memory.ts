import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { PageApi } from "../../components/pageHost";
import { formFrom, isRecord, NEW_FORM, type Form } from "./form";

/** What the page remembers while it is hidden or the window reloads: choices, never what the engine said. */
export interface Memory {
  readonly path: string | null;
  /** By model; the latest used last. */
  readonly forms: Readonly<Record<string, Form>>;
  /** Sections that are folded away. */
  readonly folded: readonly string[];
  readonly selected: string | null;
}

/** Models whose forms are remembered. */
const MOST_FORMS = 8;
/** A state is written when nothing changed for this long. Milliseconds. */
const SAVE_AFTER = 150;

export function memoryFrom(saved: unknown): Memory {
  if (!isRecord(saved)) return { path: null, forms: {}, folded: ["history"], selected: null };
  const { path, forms, folded, selected } = saved;
  return {
    path: typeof path === "string" ? path : null,
    forms: isRecord(forms) ? Object.fromEntries(Object.entries(forms).map(([model, form]) => [model, formFrom(form)])) : {},
    folded: Array.isArray(folded) ? folded.filter((id) => typeof id === "string") : [],
    selected: typeof selected === "string" ? selected : null,
  };
}

export interface MemoryControl {
  readonly memory: Memory;
  readonly update: (changes: Partial<Memory>) => void;
  readonly formOf: (path: string) => Form;
  readonly changeForm: (path: string, changes: Partial<Form>) => void;
}

/** The page's own memory, kept by the editor. */
export function useMemory(api: PageApi): MemoryControl {
  const [memory, setMemory] = useState(() => memoryFrom(api.getState()));
  const latest = useRef(memory);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const update = useCallback((changes: Partial<Memory>) => {
    latest.current = { ...latest.current, ...changes };
    setMemory(latest.current);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => api.setState(latest.current), SAVE_AFTER);
  }, []);
  const formOf = useCallback((path: string) => latest.current.forms[path] ?? NEW_FORM, []);
  const changeForm = useCallback((path: string, changes: Partial<Form>) => {
    const { [path]: own = NEW_FORM, ...others } = latest.current.forms;
    const kept = Object.entries(others).slice(-(MOST_FORMS - 1));
    update({ forms: { ...Object.fromEntries(kept), [path]: { ...own, ...changes } } });
  }, []);
  useEffect(() => {
    // A page that is hidden may be gone before the timer fires.
    const save = (): void => api.setState(latest.current);
    addEventListener("pagehide", save);
    document.addEventListener("visibilitychange", save);
    return () => {
      removeEventListener("pagehide", save);
      document.removeEventListener("visibilitychange", save);
    };
  }, []);
  return { memory, update, formOf, changeForm };
}
