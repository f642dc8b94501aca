import { useEffect, useRef, useState } from "preact/hooks";
import type { PlainFault } from "../../../src/shared/fault";
import type { Work } from "../../../src/shared/planning";
import type { ReadyWish } from "../../../src/shared/wizardPage";
import { asFault } from "../../components/pageHost";
import type { WizardHost } from "../host";
import { draftOf, type Form } from "./form";
import { inUnit, lackOf, type Lack, type ReadyPlanning } from "./needs";
import type { ModelState } from "./useModel";

/** What a person chose, for the model as it is known when it is taken: totals may come meanwhile. */
export type Choice = (planning: ReadyPlanning) => Partial<Form>;

/** A choice that needs more than is there, while that is made. */
export interface Pending {
  readonly section: "method" | "budget";
  readonly lack: Lack;
  /** The form as it will be, but for amounts that follow from totals to come. */
  readonly wanted: Form;
  /** What is done now; null before its first layer. */
  readonly work: Work | null;
}

export interface ReadyControl {
  readonly pending: Pending | null;
  /** Why what was chosen cannot be had. */
  readonly fault: PlainFault | null;
  /** What the form itself needs, that nobody is making. */
  readonly lack: Lack | null;
  /** Takes a choice into the form, at once or when what it needs is made. The last one counts. */
  readonly choose: (section: Pending["section"], choice: Choice) => void;
  readonly cancel: () => void;
}

/**
 * @param formOf the form as it is now
 * @param readying what the window was making already when the page came
 */
export function useReady(host: WizardHost, path: string, model: ModelState, formOf: () => Form, readying: ReadyWish | null, onForm: (changes: Partial<Form>) => void): ReadyControl {
  const [pending, setPending] = useState<Pending | null>(null);
  const [fault, setFault] = useState<PlainFault | null>(null);
  /** What ends later than another choice changes nothing. */
  const latest = useRef<symbol | null>(null);
  const planning = model.planning?.state === "ready" ? model.planning : null;
  const form = formOf();

  const make = (section: Pending["section"], choice: Choice, wanted: Form, lack: Lack, draft: ReadyWish["draft"]): void => {
    const own = Symbol(section);
    latest.current = own;
    setPending({ section, lack, wanted, work: null });
    const take = model.taking();
    const ended = (then: () => void): void => {
      if (latest.current !== own) return;
      latest.current = null;
      setPending(null);
      then();
    };
    host.request("ready", { path, draft }).then(
      (made) => ended(() => {
        take(made);
        if (made.state === "ready") onForm(choice(made));
      }),
      (error: unknown) => ended(() => setFault(asFault(error))),
    );
  };
  const end = (): void => {
    if (latest.current === null) return;
    latest.current = null;
    setPending(null);
    host.request("cancelReady", null).catch(() => undefined);
  };
  const choose = (section: Pending["section"], choice: Choice): void => {
    setFault(null);
    if (planning === null) return;
    const wanted = { ...formOf(), ...choice(planning) };
    const lack = lackOf(wanted, planning);
    const draft = draftOf(wanted);
    if (lack === null || draft === null) {
      end();
      return onForm(choice(planning));
    }
    make(section, choice, wanted, lack, draft);
  };

  useEffect(() => host.onNews((news) => {
    if (news.type === "work" && news.work.path === path) setPending((now) => (now === null ? null : { ...now, work: news.work }));
  }), [host, path]);
  /** A page that was hidden meanwhile goes on where it was. */
  useEffect(() => {
    if (planning === null || latest.current !== null || readying?.path !== path) return;
    const { draft } = readying;
    const wanted = { ...formOf(), scheme: draft.scheme, wish: draft.wish };
    const lack = lackOf(wanted, planning);
    if (lack !== null) make("budget", (now) => ({ scheme: draft.scheme, ...(draft.wish.kind === "rule" ? { wish: draft.wish } : inUnit(formOf().wish, draft.wish.unit, now.choices)) }), wanted, lack, draft);
  }, [planning === null, readying]);
  // For another form of the output other layers are made ready.
  useEffect(() => end, [form.as]);

  return { pending, fault, lack: planning === null || pending !== null ? null : lackOf(form, planning), choose, cancel: end };
}
