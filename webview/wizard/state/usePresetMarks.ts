import { useEffect, useState } from "preact/hooks";
import type { WizardHost } from "../host";
import type { CurveMark } from "../plots/curvePlot";
import { takenOf } from "../figures";
import { draftOf, presetChanges, type Form } from "./form";
import { lackOf, type ReadyPlanning } from "./needs";

/** Where each preset would come out, by its own proposal; those that no proposal can meet, or whose scheme is not ready, are left out. */
export function usePresetMarks(host: WizardHost, path: string, form: Form, planning: ReadyPlanning | null, unit: string, revision: number): readonly CurveMark[] {
  const [marks, setMarks] = useState<readonly CurveMark[]>([]);
  const key = JSON.stringify([form.as, form.included, form.excluded, form.locks, unit, revision]);
  useEffect(() => {
    let current = true;
    const ask = async (): Promise<void> => {
      const found: CurveMark[] = [];
      for (const preset of planning?.choices.presets ?? []) {
        const wanted = { ...form, ...presetChanges(preset, planning!.choices) };
        const draft = draftOf(wanted);
        if (!current || draft === null) return;
        if (lackOf(wanted, planning!) !== null) continue;
        const proposal = await host.request("propose", { path, draft }).catch(() => null);
        const amount = proposal === null ? null : takenOf(proposal, unit);
        if (proposal !== null && amount !== null) found.push({ label: preset.label, amount, error: proposal.after.error });
      }
      if (current) setMarks(found);
    };
    void ask();
    return () => { current = false; };
  }, [key, planning]);
  return marks;
}
