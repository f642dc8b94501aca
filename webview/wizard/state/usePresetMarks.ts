import { useEffect, useState } from "preact/hooks";
import type { PlanningChoices } from "../../../src/shared/planning";
import type { WizardHost } from "../host";
import type { CurveMark } from "../plots/curvePlot";
import { takenOf } from "../figures";
import { draftOf, presetChanges, type Form } from "./form";

/** Where each preset would come out, by its own proposal; those that no proposal can meet are left out. */
export function usePresetMarks(host: WizardHost, path: string, form: Form, choices: PlanningChoices | null, unit: string, revision: number): readonly CurveMark[] {
  const [marks, setMarks] = useState<readonly CurveMark[]>([]);
  const key = JSON.stringify([form.as, form.included, form.excluded, form.locks, unit, revision]);
  useEffect(() => {
    let current = true;
    const ask = async (): Promise<void> => {
      const found: CurveMark[] = [];
      for (const preset of choices?.presets ?? []) {
        const draft = draftOf({ ...form, ...presetChanges(preset, choices!) });
        if (!current || draft === null) return;
        const proposal = await host.request("propose", { path, draft }).catch(() => null);
        if (proposal !== null) found.push({ label: preset.label, amount: takenOf(proposal, unit), error: proposal.after.error });
      }
      if (current) setMarks(found);
    };
    void ask();
    return () => { current = false; };
  }, [key, choices]);
  return marks;
}
