import type { JSX } from "preact";
import { bytesText, countText } from "../../../src/shared/figures";
import type { PlainFault } from "../../../src/shared/fault";
import type { Curve, PlanningChoices, Proposal } from "../../../src/shared/planning";
import { Button, Dropdown } from "../../components/toolkit";
import { errorText, groupedText, shareText } from "../figures";
import { CurvePlot, type CurveMark } from "../plots/curvePlot";
import type { Form } from "../state/form";
import { TEXT } from "../strings";
import { Field } from "./field";

interface BudgetSectionProps {
  readonly form: Form;
  readonly choices: PlanningChoices;
  readonly proposal: Proposal | null;
  readonly curve: Curve | null;
  readonly marks: readonly CurveMark[];
  readonly fault: PlainFault | null;
  readonly smaller: boolean;
  readonly onForm: (changes: Partial<Form>) => void;
}

/** How small the model becomes: along the curve, or by a figure; and what that is estimated to cost. */
export function BudgetSection({ form, choices, proposal, curve, marks, fault, smaller, onForm }: BudgetSectionProps): JSX.Element {
  const { wish } = form;
  const unitId = wish?.kind === "budget" ? wish.unit : (curve?.unit ?? "params");
  const unit = choices.units.find(({ id }) => id === unitId);
  const setAmount = (amount: number): void => {
    const allocation = wish?.kind === "budget" ? wish.allocation : "least-total";
    onForm({ wish: { kind: "budget", unit: unitId, amount, allocation } });
  };
  const at = curve === null ? 0 : wish?.kind === "budget" ? wish.amount : takenOf(proposal, unitId);
  return (
    <>
      {wish?.kind === "budget" && unit !== undefined && (
        <div class="budget-fields">
          <Field name={TEXT.amount}>
            <input class="text-input figure-input" type="number" aria-label={TEXT.amount} min={0} max={100} step={1} value={Number(((100 * wish.amount) / unit.total).toFixed(1))}
              onChange={({ currentTarget }) => {
                const share = Number(currentTarget.value) / 100;
                if (Number.isFinite(share)) setAmount(Math.floor(Math.max(0, Math.min(1, share)) * unit.total));
              }} />
            <span>{TEXT.percent}</span>
            <Dropdown label={TEXT.unit} value={wish.unit} options={choices.units.map(({ id, label }) => ({ value: id, text: label.toLowerCase() }))}
              onChange={(id) => {
                const next = choices.units.find((each) => each.id === id);
                if (next !== undefined) onForm({ wish: { ...wish, unit: id, amount: Math.floor((wish.amount / unit.total) * next.total) } });
              }} />
          </Field>
        </div>
      )}
      {fault !== null && (
        <div class="notice" role="alert">
          <p><bdi>{fault.message}</bdi> <bdi>{fault.next}</bdi></p>
          {fault.code === "budget-impossible" && curve !== null && <Button secondary onClick={() => setAmount(curve.least)}>{TEXT.useLeast}</Button>}
        </div>
      )}
      {curve === null
        ? <p class="quiet plot-waiting">{TEXT.drawing}</p>
        : (
          <>
            <CurvePlot curve={curve} at={Math.max(curve.least, Math.min(curve.total, at))} marks={marks} onAmount={setAmount}
              text={TEXT.curveText(shareText(at / curve.total), errorText(proposal?.after.error ?? 0))} />
            <ul class="legend">
              <li class="line mean">{TEXT.legendMean}</li>
              <li class="line worst">{TEXT.legendWorst}</li>
            </ul>
          </>
        )}
      {wish?.kind === "rule" && <p class="quiet">{TEXT.ruleHint}</p>}
      {proposal !== null && <Estimates proposal={proposal} smaller={smaller} />}
    </>
  );
}

/** What the plan would give, before anything runs. */
function Estimates({ proposal: { before, after }, smaller }: { readonly proposal: Proposal; readonly smaller: boolean }): JSX.Element {
  return (
    <div class="estimates">
      <h3>{TEXT.estimated} <span class="tag">≈</span></h3>
      <dl class="figures">
        <div><dt>{TEXT.parameters}</dt><dd title={`${groupedText(before.parameters)} → ${groupedText(after.parameters)}`}>{countText(before.parameters)} → <b>{countText(after.parameters)}</b> <span class="quiet">{shareText(after.parameters / before.parameters)}</span></dd></div>
        <div><dt>{TEXT.size}</dt><dd>{bytesText(before.bytes)} → <b>{bytesText(after.bytes)}</b> <span class="quiet">{shareText(after.bytes / before.bytes)}</span></dd></div>
        <div><dt title={TEXT.weightErrorTitle}>{TEXT.weightError}</dt><dd><b>{errorText(after.error)}</b></dd></div>
        {after.worst !== null && <div><dt>{TEXT.worstLayer}</dt><dd class="worst-layer"><b>{errorText(after.worst.error)}</b> <bdi class="quiet" title={after.worst.name}>{after.worst.name}</bdi></dd></div>}
        <div><dt>{TEXT.factorizedLayers}</dt><dd><b>{groupedText(after.factorized)}</b></dd></div>
      </dl>
      {!smaller && <p class="quiet">{TEXT.noSmaller}</p>}
    </div>
  );
}

function takenOf(proposal: Proposal | null, unit: string): number {
  if (proposal === null) return 0;
  return unit === "bytes" ? proposal.after.bytes : proposal.after.parameters;
}
