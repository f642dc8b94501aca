import type { JSX } from "preact";
import { useId } from "preact/hooks";
import type { ConfigPlan, PlanQuery } from "../../src/shared/plannerPage";
import { Dropdown } from "../components/toolkit";
import { TEXT } from "./strings";

interface ControlsProps {
  readonly plan: ConfigPlan;
  readonly query: PlanQuery;
  readonly onQuery: (changes: Partial<PlanQuery>) => void;
}

/** Which modules, and which ranks. */
export function Controls({ plan, query, onQuery }: ControlsProps): JSX.Element {
  const configs = plan.configs.map((text, index) => ({ value: String(index), text }));
  const targets = plan.choices.map((choice) => ({ value: choice.targets, text: TEXT.targetChoice(TEXT.targetNames[choice.targets], choice.modules) }));
  return (
    <div class="controls">
      {configs.length > 1 && (
        <div class="control">
          <span class="control-name" aria-hidden="true">{TEXT.config}</span>
          <Dropdown label={TEXT.config} options={configs} value={String(plan.config)} onChange={(value) => onQuery({ config: Number(value), targets: null, rank: null, projectionRank: null })} />
        </div>
      )}
      <div class="control">
        <span class="control-name" aria-hidden="true">{TEXT.targets}</span>
        <Dropdown label={TEXT.targets} options={targets} value={plan.targets} onChange={(value) => onQuery({ targets: value })} />
      </div>
      <RankControl plan={plan} query={query} onQuery={onQuery} />
      <NumberControl label={TEXT.projectionRank} hint={TEXT.projectionHint} value={plan.projectionRank} most={plan.largestRank} onChange={(projectionRank) => onQuery({ projectionRank })} />
    </div>
  );
}

/** A slider over the powers of two, which configs use, and a field for any other rank. */
function RankControl({ plan, query, onQuery }: ControlsProps): JSX.Element {
  const { rank: { least, most }, largestRank } = plan;
  const shown = query.rank ?? most;
  const steps = Math.max(1, Math.floor(Math.log2(largestRank)));
  const nearest = Math.min(steps, Math.max(0, Math.round(Math.log2(Math.max(1, shown)))));
  return (
    <div class="control rank-control">
      <NumberControl label={TEXT.rank} hint={query.rank === null ? TEXT.ranksOfConfig(least, most) : TEXT.oneRank} value={shown} most={largestRank} onChange={(rank) => onQuery({ rank })} />
      <input type="range" min={0} max={steps} step={1} value={nearest} aria-label={TEXT.rankSlider} aria-valuetext={String(2 ** nearest)}
        onInput={({ currentTarget }) => onQuery({ rank: 2 ** Number(currentTarget.value) })} />
      {query.rank !== null && <button type="button" class="link-button" onClick={() => onQuery({ rank: null })}>{TEXT.backToConfig}</button>}
    </div>
  );
}

interface NumberControlProps {
  readonly label: string;
  readonly hint: string;
  readonly value: number;
  readonly most: number;
  readonly onChange: (value: number) => void;
}

function NumberControl({ label, hint, value, most, onChange }: NumberControlProps): JSX.Element {
  const id = useId();
  const take = ({ currentTarget }: { readonly currentTarget: HTMLInputElement }): void => {
    const number = Number(currentTarget.value);
    if (currentTarget.value !== "" && Number.isSafeInteger(number) && number >= 1 && number <= most) onChange(number);
  };
  return (
    <div class="control">
      <label class="control-name" for={id}>{label}</label>
      <input id={id} type="number" class="number" min={1} max={most} step={1} value={value} onInput={take} aria-describedby={`${id}-hint`} />
      <span class="control-hint" id={`${id}-hint`}>{hint}</span>
    </div>
  );
}
