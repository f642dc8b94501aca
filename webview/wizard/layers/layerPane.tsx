import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { LayerLadder, Lock, PlanningLayer, ProposedLayer } from "../../../src/shared/planning";
import { millisecondsText, percentText } from "../../../src/shared/figures";
import { Icon } from "../../components/icons";
import { Button, Dropdown } from "../../components/toolkit";
import { errorText, ranksText } from "../figures";
import type { WizardHost } from "../host";
import { CutPlot } from "../plots/cutPlot";
import { TEXT } from "../strings";

interface LayerPaneProps {
  readonly host: WizardHost;
  readonly path: string;
  readonly as: string;
  readonly revision: number;
  readonly layer: PlanningLayer;
  readonly proposed: ProposedLayer | null;
  readonly locked: boolean;
  /** null: what the budget proposes. */
  readonly onLock: (lock: Lock | null) => void;
  readonly onClose: () => void;
}

type Rung = LayerLadder["rungs"][number];

/** One layer: its spectrum with the cut, to try out other ranks. */
export function LayerPane({ host, path, as, revision, layer, proposed, locked, onLock, onClose }: LayerPaneProps): JSX.Element {
  const ladders = useLadders(host, path, as, revision, layer);
  /** While it is dragged; the lock comes when it is dropped. */
  const [tried, setTried] = useState<{ readonly scheme: string; readonly rung: Rung } | null>(null);
  useEffect(() => setTried(null), [proposed, layer.name]);
  const scheme = tried?.scheme ?? proposed?.scheme ?? ladders[0]?.scheme;
  const ladder = ladders.find((each) => each.scheme === scheme) ?? ladders[0];
  const rung = tried?.rung ?? (ladder === undefined ? undefined : startingRung(ladder, proposed, layer));
  const lock = (chosen: LayerLadder, at: Rung): void => onLock({ scheme: chosen.scheme, ranks: at.ranks });
  return (
    <section class="layer-pane" aria-label={layer.name}>
      <div class="pane-head">
        <h3><bdi>{layer.name}</bdi></h3>
        <button type="button" class="icon-button" title={TEXT.closePane} aria-label={TEXT.closePane} onClick={onClose}><Icon name="close" /></button>
      </div>
      <p class="quiet">{layer.kind} · {layer.shape.join("×")} {layer.dtype}</p>
      <p class="pane-reason"><bdi>{layer.refusal ?? proposed?.reason ?? ""}</bdi></p>
      {ladder !== undefined && rung !== undefined && (
        <>
          {ladders.length > 1 && (
            <div class="field">
              <span class="field-name">{TEXT.scheme}</span>
              <Dropdown label={TEXT.scheme} value={ladder.scheme} options={ladders.map((each) => ({ value: each.scheme, text: each.label }))}
                onChange={(id) => {
                  const chosen = ladders.find((each) => each.scheme === id);
                  if (chosen !== undefined) lock(chosen, nearestSize(chosen, rung.parameters));
                }} />
            </div>
          )}
          {ladder.modes.map((values, mode) => (
            <CutPlot key={`${ladder.scheme} ${mode}`} values={values} rank={rung.ranks[mode] ?? 1} label={TEXT.cutLabel(layer.name, mode)}
              text={TEXT.cutText(rung.ranks[mode] ?? 1, values.length, errorText(rung.error), weightsText(rung, layer))}
              onRank={(rank) => setTried({ scheme: ladder.scheme, rung: nearestRank(ladder, mode, rank) })}
              onDropped={() => setTried((now) => {
                if (now !== null) lock(ladder, now.rung);
                return now;
              })} />
          ))}
          {ladder.modes.length === 0 && (
            <div class="field">
              <span class="field-name">{TEXT.columns.rank}</span>
              <Dropdown label={TEXT.triedRank(layer.name)} value={ranksText(rung.ranks)} options={ladder.rungs.map((each) => ({ value: ranksText(each.ranks), text: TEXT.triedText(ranksText(each.ranks), errorText(each.error)) }))}
                onChange={(text) => {
                  const chosen = ladder.rungs.find((each) => ranksText(each.ranks) === text);
                  if (chosen !== undefined) lock(ladder, chosen);
                }} />
              <p class="field-note quiet">{TEXT.fittedNote}</p>
            </div>
          )}
          <p class="pane-figures" role="status">{TEXT.columns.rank} <b>{ranksText(rung.ranks)}</b> · {TEXT.error} <b>{errorText(rung.error)}</b> · {weightsText(rung, layer)}{ladder.wholeMs !== null && rung.ms !== null && <> · <span title={TEXT.aloneTitle}>{TEXT.alone(millisecondsText(ladder.wholeMs), millisecondsText(rung.ms))}</span></>}</p>
        </>
      )}
      {layer.refusal === null && (
        <div class="actions">
          {locked && <Button secondary onClick={() => onLock(null)}>{TEXT.backToProposal}</Button>}
          <Button secondary onClick={() => onLock({ scheme: null, ranks: [] })}>{TEXT.keepAsIs}</Button>
        </div>
      )}
    </section>
  );
}

/** @param revision of the planning: more schemes may be ready since, and times measured */
function useLadders(host: WizardHost, path: string, as: string, revision: number, { name, refusal }: PlanningLayer): readonly LayerLadder[] {
  const [known, setKnown] = useState<{ readonly name: string; readonly ladders: readonly LayerLadder[] }>({ name, ladders: [] });
  useEffect(() => {
    let current = true;
    if (refusal === null) {
      host.request("ladders", { path, as, name }).then(
        (ladders) => { if (current) setKnown({ name, ladders }); },
        // The proposal says what is wrong with the model.
        () => undefined,
      );
    }
    return () => { current = false; };
  }, [host, path, as, revision, name, refusal]);
  return known.name === name ? known.ladders : [];
}

/** The proposal's own rung; of a layer that stays, the largest that would make it smaller. */
function startingRung(ladder: LayerLadder, proposed: ProposedLayer | null, { parameters }: PlanningLayer): Rung | undefined {
  if (proposed?.action === "factorize" && proposed.scheme === ladder.scheme) {
    const same = ladder.rungs.find(({ ranks }) => ranks.every((rank, mode) => rank === proposed.ranks[mode]));
    return same ?? { ranks: proposed.ranks, parameters: proposed.parametersAfter, error: proposed.relativeError, ms: null };
  }
  return ladder.rungs.findLast((rung) => rung.parameters < parameters) ?? ladder.rungs[0];
}

/** Two ranks move together, along the best of their pairs. */
function nearestRank({ rungs }: LayerLadder, mode: number, rank: number): Rung {
  const distance = (rung: Rung): number => Math.abs((rung.ranks[mode] ?? 1) - rank);
  return rungs.reduce((best, rung) => (distance(rung) < distance(best) ? rung : best));
}

function nearestSize({ rungs }: LayerLadder, parameters: number): Rung {
  return rungs.reduce((best, rung) => (Math.abs(rung.parameters - parameters) < Math.abs(best.parameters - parameters) ? rung : best));
}

function weightsText({ parameters }: Rung, layer: PlanningLayer): string {
  const share = parameters / layer.parameters;
  return share <= 1 ? TEXT.savedWeights(percentText(1 - share)) : TEXT.moreWeights(percentText(share - 1));
}
