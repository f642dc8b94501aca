import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { PlanningChoices } from "../../src/shared/planning";
import type { WizardTarget } from "../../src/shared/wizardPage";
import { FaultNotice } from "../components/faultNotice";
import { Section } from "../components/section";
import { ProgressRing } from "../components/toolkit";
import { fileName, shareText } from "./figures";
import type { WizardHost } from "./host";
import { ModelHead } from "./modelHead";
import { AnalyzeFirst } from "./sections/analyzeFirst";
import { ApplySection } from "./sections/applySection";
import { BudgetSection } from "./sections/budgetSection";
import { CheckSection } from "./sections/checkSection";
import { layersAside, LayersSection } from "./sections/layersSection";
import { MethodSection } from "./sections/methodSection";
import { RunCard } from "./sections/runCard";
import { completed, draftOf, onlyLayers, type Form } from "./state/form";
import type { MemoryControl } from "./state/memory";
import { useModel } from "./state/useModel";
import { usePresetMarks } from "./state/usePresetMarks";
import { useCurve, useProposal } from "./state/useProposal";
import { useCounts } from "./state/useCounts";
import { useReady } from "./state/useReady";
import type { WindowState } from "./state/useWindow";
import { TEXT } from "./strings";

interface ModelFormProps {
  readonly host: WizardHost;
  readonly control: MemoryControl;
  readonly target: WizardTarget;
  readonly window: WindowState;
  readonly ask: (action: () => Promise<unknown>) => void;
  readonly attempt: (action: () => Promise<string | null>) => void;
  readonly saved: (answer: Promise<{ saved: string | null }>) => Promise<string | null>;
  readonly showLog: () => void;
}

/** The form of one model: layers, method, budget, check, apply. */
export function ModelForm({ host, control, target, window, ask, attempt, saved, showLog }: ModelFormProps): JSX.Element {
  const { path } = target;
  const { memory, update, changeForm } = control;
  const form = control.formOf(path);
  const onForm = (changes: Partial<Form>): void => changeForm(path, changes);
  const model = useModel(host, path, form.as);
  const planning = model.planning?.state === "ready" ? model.planning : null;
  useTargetInForm(control, target, planning);

  const readyControl = useReady(host, path, model, () => control.formOf(path), window.readying, onForm);
  const { lack } = readyControl;
  useCounts(model, lack === "counts");

  const isProposed = planning !== null && form.asked >= target.asked && (lack === null || lack === "counts");
  const draft = isProposed ? draftOf(form) : null;
  const proposal = useProposal(host, path, draft, model.revision);
  const curve = useCurve(host, path, draft, model.revision);
  const marks = usePresetMarks(host, path, form, planning, curve.value?.unit ?? "params", model.revision);

  const output = form.output !== "" ? form.output : `${target.output}${planning?.ending ?? ""}`;
  const run = window.history.find(({ id, path: own }) => own === path && id === window.lastRun) ?? window.history.find(({ path: own, undone }) => own === path && !undone);
  const folding = (id: string): { readonly open: boolean; readonly onToggle: (open: boolean) => void } => ({
    open: !memory.folded.includes(id),
    onToggle: (open) => update({ folded: open ? memory.folded.filter((each) => each !== id) : [...memory.folded, id] }),
  });
  const section = (id: "layers" | "method" | "budget" | "check" | "apply", aside: string, children: ComponentChildren): JSX.Element =>
    <Section id={id} title={TEXT[id]} aside={aside} {...folding(id)}>{children}</Section>;

  return (
    <>
      <ModelHead path={path} opened={model.opened} onChange={() => ask(() => host.request("chooseModel", null))} />
      {model.fault !== null && <FaultNotice fault={model.fault} onShowLog={showLog} onRetry={model.reload} />}
      {model.planning === null && model.fault === null && <div class="waiting-model"><ProgressRing label={TEXT.preparing} /><p class="quiet">{model.opened === null ? TEXT.loading : TEXT.preparing}</p></div>}
      {model.planning?.state === "unanalyzed" && (
        <AnalyzeFirst planning={model.planning} progress={model.progress} onAnalyze={() => ask(() => host.request("analyze", { path }))} onCancel={() => ask(() => host.request("cancelAnalysis", { path }))} />
      )}
      {planning !== null && (
        <>
          {section("layers", layersAside(form, planning.layers),
            <LayersSection host={host} path={path} revision={model.revision} form={form} layers={planning.layers} proposal={proposal.value} selected={memory.selected} onSelect={(selected) => update({ selected })} onForm={onForm} />)}
          {section("method", schemeLabel(form, planning.choices), <MethodSection form={form} choices={planning.choices} readyControl={readyControl} onForm={onForm} />)}
          {section("budget", proposal.value === null ? "" : shareText(proposal.value.after.parameters / proposal.value.before.parameters),
            <BudgetSection form={form} readyControl={readyControl} planning={planning} proposal={proposal.value} curve={curve.value} marks={marks} fault={draft === null ? readyControl.fault : (proposal.fault ?? curve.fault ?? readyControl.fault)}
              smaller={form.as === "factored"} onForm={onForm} />)}
          {section("check", form.data === null || planning.check === "layers" ? "" : fileName(form.data), <CheckSection form={form} kind={planning.check} onForm={onForm}
            onChooseData={() => ask(async () => {
              const { path: data } = await host.request("chooseData", null);
              if (data !== null) onForm({ data });
            })} />)}
          {section("apply", "", (
            <>
              <ApplySection path={path} form={form} choices={planning.choices} output={output} job={window.job} ready={draft !== null && proposal.fault === null && (proposal.value?.after.factorized ?? 0) > 0} onForm={onForm}
                onChooseOutput={() => ask(async () => {
                  const { path: chosen } = await host.request("chooseOutput", { suggested: output });
                  if (chosen !== null) onForm({ output: chosen });
                })}
                onApply={() => { if (draft !== null) ask(() => host.request("apply", { path, draft, output, check: form.check ? { data: planning.check === "run" ? form.data : null } : null })); }}
                onCancel={() => ask(() => host.request("cancel", null))}
                onExportPlan={() => { if (draft !== null) attempt(() => saved(host.request("exportPlan", { path, draft }))); }} />
              {run !== undefined && (
                <RunCard run={run} busy={window.job !== null}
                  onOpenReport={(file) => ask(() => host.request("openReport", { path: file }))}
                  onReveal={(file) => ask(() => host.request("reveal", { path: file }))}
                  onCopyPath={(text) => attempt(() => host.request("copy", { text }).then(() => TEXT.copied))}
                  onVerify={({ id }) => ask(() => host.request("verify", { id, data: form.data }))}
                  onUndo={({ id }) => ask(() => host.request("undo", { id }))} />
              )}
            </>
          ))}
        </>
      )}
    </>
  );
}

/** Takes up what the window asks for: a new model, or some of its layers alone; and fills in what the model decides. */
function useTargetInForm({ formOf, changeForm }: MemoryControl, { path, asked, only }: WizardTarget, planning: { readonly layers: Parameters<typeof onlyLayers>[0]; readonly choices: PlanningChoices } | null): void {
  useEffect(() => {
    if (planning === null) return;
    const form = formOf(path);
    const fresh = form.asked < asked || form.asked > asked;
    changeForm(path, { ...completed(form, planning.choices), asked, ...(fresh && only !== null ? { ...onlyLayers(planning.layers, only), locks: {} } : {}) });
  }, [planning, asked]);
}

function schemeLabel({ scheme }: Form, { schemes }: PlanningChoices): string {
  return schemes.find(({ id }) => id === scheme)?.label ?? "";
}
