import type { JSX } from "preact";
import type { PlanningChoices } from "../../../src/shared/planning";
import type { Job } from "../../../src/shared/wizardPage";
import { Button, Dropdown } from "../../components/toolkit";
import { fileName } from "../figures";
import type { Form } from "../state/form";
import { TEXT } from "../strings";
import { Field } from "./field";

interface ApplySectionProps {
  readonly path: string;
  readonly form: Form;
  readonly choices: PlanningChoices;
  readonly output: string;
  readonly job: Job | null;
  /** Something can be written. */
  readonly ready: boolean;
  readonly onForm: (changes: Partial<Form>) => void;
  readonly onChooseOutput: () => void;
  readonly onApply: () => void;
  readonly onCancel: () => void;
  readonly onExportPlan: () => void;
}

/** Where the model goes, and the button that writes it. */
export function ApplySection({ path, form, choices, output, job, ready, onForm, onChooseOutput, onApply, onCancel, onExportPlan }: ApplySectionProps): JSX.Element {
  const as = choices.outputs.find(({ id }) => id === form.as);
  return (
    <>
      {choices.outputs.length > 1 && (
        <Field name={TEXT.as} note={as?.note}>
          <Dropdown label={TEXT.as} value={form.as} options={choices.outputs.map(({ id, label }) => ({ value: id, text: label }))} onChange={(id) => onForm({ as: id })} />
        </Field>
      )}
      <Field name={TEXT.output} note={TEXT.outputHint}>
        <input class="text-input path-input" type="text" aria-label={TEXT.output} value={output} title={output} spellcheck={false} onChange={({ currentTarget }) => onForm({ output: currentTarget.value.trim() })} />
        <Button secondary onClick={onChooseOutput}>{TEXT.choose}</Button>
      </Field>
      {job === null
        ? (
          <div class="actions">
            <Button disabled={!ready} onClick={onApply}>{TEXT.write}</Button>
            <Button secondary disabled={!ready} onClick={onExportPlan}>{TEXT.exportPlan}</Button>
          </div>
        )
        : <JobBar job={job} own={job.path === path} onCancel={onCancel} />}
    </>
  );
}

/** What is being written or checked, how far it is, and a way to stop it. */
function JobBar({ job, own, onCancel }: { readonly job: Job; readonly own: boolean; readonly onCancel: () => void }): JSX.Element {
  const { kind, done, total, layer } = job;
  const text = !own ? TEXT.otherJob(fileName(job.output)) : kind === "plan" ? TEXT.planning : kind === "apply" ? TEXT.writing(done, total) : TEXT.checking;
  return (
    <div class="job" role="status">
      <p>{text}{layer !== "" && kind === "apply" && <> · <bdi class="quiet">{layer}</bdi></>}</p>
      <div class={`progress ${kind === "apply" && total > 0 ? "" : "waiting"}`} role="progressbar" aria-label={TEXT.applyProgress}
        {...(kind === "apply" && total > 0 ? { "aria-valuemin": 0, "aria-valuemax": total, "aria-valuenow": done } : {})}>
        <div style={{ width: kind === "apply" && total > 0 ? `${(100 * done) / total}%` : "35%" }} />
      </div>
      <Button secondary onClick={onCancel}>{TEXT.cancel}</Button>
    </div>
  );
}
