import type { JSX } from "preact";
import type { DraftWish, PlanningChoices, RuleChoice } from "../../../src/shared/planning";
import { Dropdown } from "../../components/toolkit";
import { presetChanges, type Form } from "../state/form";
import type { ReadyControl } from "../state/useReady";
import { TEXT } from "../strings";
import { Field } from "./field";
import { FigureInput } from "./figureInput";
import { ReadyBar } from "./readyBar";

interface MethodSectionProps {
  readonly form: Form;
  readonly choices: PlanningChoices;
  readonly readyControl: ReadyControl;
  readonly onForm: (changes: Partial<Form>) => void;
}

/** How ranks are chosen: a preset, or scheme and rule one by one. */
export function MethodSection({ form, choices, readyControl: { pending, choose, cancel }, onForm }: MethodSectionProps): JSX.Element {
  const { wish } = form;
  /** As it is chosen, where its ranks are still on the way. */
  const wanted = pending?.wanted ?? form;
  const scheme = choices.schemes.find(({ id }) => id === wanted.scheme);
  const fallback = choices.presets.map((preset) => presetChanges(preset, choices).wish).find((each) => each?.kind === "budget") ?? null;
  return (
    <>
      <div class="presets" role="group" aria-label={TEXT.presets}>
        {choices.presets.map((preset) => {
          const changes = presetChanges(preset, choices);
          return (
            <button type="button" key={preset.id} class="chip" title={preset.note} aria-pressed={isChosen(wanted, changes)} onClick={() => choose("method", (planning) => presetChanges(preset, planning.choices))}>{preset.label}</button>
          );
        })}
      </div>
      <Field name={TEXT.scheme} note={scheme?.note}>
        <Dropdown label={TEXT.scheme} value={wanted.scheme} options={choices.schemes.map(({ id, label }) => ({ value: id, text: label }))} onChange={(id) => choose("method", () => ({ scheme: id }))} />
      </Field>
      {pending?.section === "method" && <ReadyBar pending={pending} onCancel={cancel} />}
      <Field name={TEXT.ranksBy}>
        <Dropdown label={TEXT.ranksBy} value={wish?.kind ?? "budget"} options={[{ value: "budget", text: TEXT.byBudget }, { value: "rule", text: TEXT.byRule }]}
          onChange={(kind) => onForm({ wish: kind === "budget" ? fallback : { kind: "rule", rule: ruleText(choices.rules[0]!, choices.rules[0]?.figure?.initial ?? null) } })} />
      </Field>
      {wish?.kind === "budget" && (
        <Field name={TEXT.allocation} note={choices.allocations.find(({ id }) => id === wish.allocation)?.note}>
          <Dropdown label={TEXT.allocation} value={wish.allocation} options={choices.allocations.map(({ id, label }) => ({ value: id, text: label }))}
            onChange={(allocation) => onForm({ wish: { ...wish, allocation } })} />
        </Field>
      )}
      {wish?.kind === "rule" && <RuleFields wish={wish} rules={choices.rules} onWish={(next) => onForm({ wish: next })} />}
    </>
  );
}

interface RuleFieldsProps {
  readonly wish: Extract<DraftWish, { kind: "rule" }>;
  readonly rules: readonly RuleChoice[];
  readonly onWish: (wish: DraftWish) => void;
}

function RuleFields({ wish, rules, onWish }: RuleFieldsProps): JSX.Element {
  const [id, figure] = wish.rule.split(":");
  const rule = rules.find((each) => each.id === id) ?? rules[0];
  if (rule === undefined) return <></>;
  return (
    <>
      <Field name={TEXT.rule} note={rule.note}>
        <Dropdown label={TEXT.rule} value={rule.id} options={rules.map((each) => ({ value: each.id, text: each.label }))}
          onChange={(next) => {
            const chosen = rules.find((each) => each.id === next);
            if (chosen !== undefined) onWish({ kind: "rule", rule: ruleText(chosen, chosen.figure?.initial ?? null) });
          }} />
      </Field>
      {rule.figure !== null && (
        <Field name={TEXT.figure}>
          <FigureInput label={rule.label} figure={Number(figure)} least={rule.figure.least} most={rule.figure.most} step={rule.figure.step}
            onFigure={(value) => {
              const { least, most } = rule.figure!;
              onWish({ kind: "rule", rule: ruleText(rule, Math.max(least, Math.min(most, value))) });
            }} />
        </Field>
      )}
    </>
  );
}

function ruleText({ id, figure }: RuleChoice, value: number | null): string {
  return figure === null || value === null ? id : `${id}:${value}`;
}

/** A preset stays chosen while nothing that it sets is changed. */
function isChosen({ scheme, wish }: Form, changes: Pick<Form, "scheme" | "wish">): boolean {
  return scheme === changes.scheme && JSON.stringify(wish) === JSON.stringify(changes.wish);
}
