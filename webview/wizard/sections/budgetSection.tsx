import type { JSX } from "preact";
import { bytesText, countText, millisecondsText } from "../../../src/shared/figures";
import type { PlainFault } from "../../../src/shared/fault";
import { LATENCY, MULTIPLY_ADDS, type Curve, type MeasuredModel, type Proposal } from "../../../src/shared/planning";
import { Button, Dropdown } from "../../components/toolkit";
import { errorText, groupedText, shareText, takenOf } from "../figures";
import { CurvePlot, type CurveMark } from "../plots/curvePlot";
import type { Form } from "../state/form";
import { amountOf, inUnit, type ReadyPlanning } from "../state/needs";
import type { ReadyControl } from "../state/useReady";
import { TEXT } from "../strings";
import { Field } from "./field";
import { FigureInput } from "./figureInput";
import { LackNotice, ReadyBar } from "./readyBar";

interface BudgetSectionProps {
  readonly form: Form;
  readonly readyControl: ReadyControl;
  readonly planning: ReadyPlanning;
  readonly proposal: Proposal | null;
  readonly curve: Curve | null;
  readonly marks: readonly CurveMark[];
  readonly fault: PlainFault | null;
  readonly smaller: boolean;
  readonly onForm: (changes: Partial<Form>) => void;
}

/** How small the model becomes: along the curve, or by a figure; and what that is estimated to cost. */
export function BudgetSection({ form, readyControl, planning, proposal, curve: latest, marks, fault, smaller, onForm }: BudgetSectionProps): JSX.Element {
  const { wish } = form;
  const { choices } = planning;
  const { pending, lack, choose, cancel } = readyControl;
  const unitId = wish?.kind === "budget" ? wish.unit : (latest?.unit ?? "params");
  // Until that of a new unit is there, amounts along the old one would be of another unit.
  const curve = latest?.unit === unitId ? latest : null;
  const unit = choices.units.find(({ id }) => id === unitId);
  const total = unit?.total ?? null;
  const unitWanted = pending?.section === "budget" && pending.wanted.wish?.kind === "budget" ? pending.wanted.wish.unit : unitId;
  const setAmount = (amount: number): void => {
    const allocation = wish?.kind === "budget" ? wish.allocation : "least-total";
    onForm({ wish: { kind: "budget", unit: unitId, amount, allocation } });
  };
  const at = curve === null ? 0 : wish?.kind === "budget" ? wish.amount : proposal === null ? 0 : (takenOf(proposal, unitId) ?? 0);
  const isLacking = lack === "ladders" || lack === "latency";
  return (
    <>
      {wish?.kind === "budget" && unit !== undefined && (
        <div class="budget-fields">
          <Field name={TEXT.amount}>
            <FigureInput label={TEXT.amount} figure={total === null ? null : Number(((100 * wish.amount) / total).toFixed(1))} least={0} most={100} step={1}
              onFigure={(percent) => setAmount(amountOf(Math.max(0, Math.min(1, percent / 100)), unitId, choices))} />
            <span>{TEXT.percent}</span>
            <Dropdown label={TEXT.unit} value={unitWanted} options={choices.units.map(({ id, label, refusal }) => ({ value: id, text: label.toLowerCase(), refusal }))}
              onChange={(id) => choose("budget", (now) => inUnit(form.wish, id, now.choices))} />
            {unitId === LATENCY && (
              <span class="of-amount">
                <FigureInput label={TEXT.amountInMs} figure={total === null ? null : Number(wish.amount.toPrecision(4))} least={0} onFigure={(ms) => setAmount(Math.max(0, Math.min(total ?? ms, ms)))} />
                <span>{TEXT.milliseconds}</span>
              </span>
            )}
          </Field>
          {pending === null && lack === "counts" && <p class="quiet" role="status">{TEXT.beginning.counts}</p>}
          {unit.id === MULTIPLY_ADDS && total !== null && <p class="quiet">{unit.note}</p>}
        </div>
      )}
      {pending?.section === "budget" && <ReadyBar pending={pending} onCancel={cancel} />}
      {isLacking && <LackNotice lack={lack} onMake={() => choose("budget", () => ({}))} />}
      {fault !== null && (
        <div class="notice" role="alert">
          <p><bdi>{fault.message}</bdi> <bdi>{fault.next}</bdi></p>
          {fault.code === "budget-impossible" && curve !== null && <Button secondary onClick={() => setAmount(curve.least)}>{TEXT.useLeast}</Button>}
        </div>
      )}
      {isLacking ? null : curve === null
        ? <p class="quiet plot-waiting">{TEXT.drawing}</p>
        : (
          <>
            <CurvePlot curve={curve} at={Math.max(curve.least, Math.min(curve.total, at))} marks={marks} whole={unit?.whole !== false} axis={curve.unit === LATENCY ? TEXT.curveLatency : TEXT.curveSize} onAmount={setAmount}
              text={TEXT.curveText(shareText(at / curve.total), errorText(proposal?.after.error ?? 0))} />
            <ul class="legend">
              <li class="line mean">{TEXT.legendMean}</li>
              <li class="line worst">{TEXT.legendWorst}</li>
            </ul>
          </>
        )}
      {wish?.kind === "rule" && <p class="quiet">{TEXT.ruleHint}</p>}
      {proposal !== null && !isLacking && <Estimates proposal={proposal} smaller={smaller} />}
      {planning.latency !== null && !isLacking && (unitId === LATENCY || proposal?.latency != null) && <LatencyNote measured={planning.latency} />}
    </>
  );
}

/** What was measured, how far that varies, and what an expected time is. */
function LatencyNote({ measured: { ms, low, high, runs, unmeasured } }: { readonly measured: MeasuredModel }): JSX.Element {
  return (
    <p class="quiet latency-note">
      {TEXT.measuredLatency(millisecondsText(ms), groupedText(runs), millisecondsText(low), millisecondsText(high))} {TEXT.expectedLatency}{" "}
      {unmeasured.length > 0 && <bdi title={unmeasured.join("\n")}>{TEXT.unmeasured(unmeasured.length)}</bdi>}
    </p>
  );
}

/** What the plan would give, before anything runs. */
function Estimates({ proposal: { before, after, multiplyAdds, latency }, smaller }: { readonly proposal: Proposal; readonly smaller: boolean }): JSX.Element {
  return (
    <div class="estimates">
      <h3>{TEXT.estimated} <span class="tag">≈</span></h3>
      <dl class="figures">
        <div><dt>{TEXT.parameters}</dt><dd title={`${groupedText(before.parameters)} → ${groupedText(after.parameters)}`}>{countText(before.parameters)} → <b>{countText(after.parameters)}</b> <span class="quiet">{shareText(after.parameters / before.parameters)}</span></dd></div>
        <div><dt>{TEXT.size}</dt><dd>{bytesText(before.bytes)} → <b>{bytesText(after.bytes)}</b> <span class="quiet">{shareText(after.bytes / before.bytes)}</span></dd></div>
        {multiplyAdds !== null && multiplyAdds.before > 0 && <div><dt title={TEXT.countedFor(multiplyAdds.per)}>{TEXT.multiplyAdds}</dt><dd title={`${groupedText(multiplyAdds.before)} → ${groupedText(multiplyAdds.after)}`}>{countText(multiplyAdds.before)} → <b>{countText(multiplyAdds.after)}</b> <span class="quiet">{shareText(multiplyAdds.after / multiplyAdds.before)}</span></dd></div>}
        {latency !== null && <div><dt title={TEXT.expectedLatency}>{TEXT.latency}</dt><dd>{millisecondsText(latency.before)} → <b>{millisecondsText(latency.after)}</b> <span class="quiet">{shareText(latency.after / latency.before)}</span></dd></div>}
        <div><dt title={TEXT.weightErrorTitle}>{TEXT.weightError}</dt><dd><b>{errorText(after.error)}</b></dd></div>
        {after.worst !== null && <div><dt>{TEXT.worstLayer}</dt><dd class="worst-layer"><b>{errorText(after.worst.error)}</b> <bdi class="quiet" title={after.worst.name}>{after.worst.name}</bdi></dd></div>}
        <div><dt>{TEXT.factorizedLayers}</dt><dd><b>{groupedText(after.factorized)}</b></dd></div>
      </dl>
      {multiplyAdds !== null && <p class="quiet"><bdi>{TEXT.countedFor(multiplyAdds.per)}</bdi> {multiplyAdds.uncounted.length > 0 && <bdi title={multiplyAdds.uncounted.join("\n")}>{TEXT.uncounted(multiplyAdds.uncounted.length)}</bdi>}</p>}
      {!smaller && <p class="quiet">{TEXT.noSmaller}</p>}
    </div>
  );
}
