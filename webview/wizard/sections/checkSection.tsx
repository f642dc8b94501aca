import type { JSX } from "preact";
import { Button, Checkbox } from "../../components/toolkit";
import { fileName } from "../figures";
import type { Form } from "../state/form";
import { TEXT } from "../strings";
import { Field } from "./field";

interface CheckSectionProps {
  readonly form: Form;
  readonly kind: "run" | "layers";
  readonly onForm: (changes: Partial<Form>) => void;
  readonly onChooseData: () => void;
}

/** How the written model is checked, and on what. */
export function CheckSection({ form, kind, onForm, onChooseData }: CheckSectionProps): JSX.Element {
  return (
    <>
      <p class="quiet">{kind === "run" ? TEXT.checkRun : TEXT.checkLayers}</p>
      <Checkbox checked={form.check} onChange={(check) => onForm({ check })}>{TEXT.checkAfter}</Checkbox>
      {kind === "run" && (
        <Field name={TEXT.inputs} note={form.data === null ? TEXT.seededNote : TEXT.dataNote}>
          <span class="path" title={form.data ?? TEXT.seeded}><bdi>{form.data === null ? TEXT.seeded : fileName(form.data)}</bdi></span>
          <div class="actions">
            <Button secondary onClick={onChooseData}>{TEXT.chooseData}</Button>
            {form.data !== null && <Button secondary onClick={() => onForm({ data: null })}>{TEXT.useSeeded}</Button>}
          </div>
        </Field>
      )}
    </>
  );
}
