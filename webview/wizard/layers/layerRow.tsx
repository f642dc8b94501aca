import type { JSX } from "preact";
import { Icon } from "../../components/icons";
import type { PlanningLayer, ProposedLayer } from "../../../src/shared/planning";
import { errorText, parseRanks, ranksText, savingText } from "../figures";
import { TEXT } from "../strings";

export interface LayerRowProps {
  readonly index: number;
  readonly count: number;
  readonly layer: PlanningLayer;
  /** null while it is on the way. */
  readonly proposed: ProposedLayer | null;
  readonly taken: boolean;
  readonly locked: boolean;
  readonly selected: boolean;
  readonly onTake: (layer: PlanningLayer, taken: boolean) => void;
  readonly onSelect: (name: string) => void;
  readonly onLock: (proposed: ProposedLayer, locked: boolean) => void;
  readonly onRanks: (proposed: ProposedLayer, ranks: readonly number[]) => void;
}

/** A layer: whether it is taken, what it becomes, and its rank to change. */
export function LayerRow(props: LayerRowProps): JSX.Element {
  const { index, count, layer, proposed, taken, locked, selected, onTake, onSelect, onLock } = props;
  const { name, refusal } = layer;
  const factorized = proposed?.action === "factorize" ? proposed : null;
  const reason = refusal ?? proposed?.reason ?? TEXT.proposing;
  return (
    <li class={`layer ${selected ? "selected" : ""} ${factorized === null ? "kept" : ""}`} aria-posinset={index + 1} aria-setsize={count} data-index={index}>
      <input type="checkbox" class="check" aria-label={TEXT.take(name)} checked={taken} disabled={refusal !== null} data-control="take" onChange={({ currentTarget }) => onTake(layer, currentTarget.checked)} />
      <button type="button" class="layer-name" title={`${name}\n${reason}`} aria-label={TEXT.showLayer(name)} aria-pressed={selected} data-control="name" onClick={() => onSelect(name)}><bdi>{name}</bdi></button>
      {factorized === null
        ? <span class="layer-reason" title={reason}><bdi>{reason}</bdi></span>
        : <Factorized {...props} proposed={factorized} />}
      {factorized !== null || locked
        ? (
          <button type="button" class={`icon-button lock ${locked ? "locked" : ""}`} aria-pressed={locked} data-control="lock"
            title={locked ? TEXT.unlock(name) : TEXT.lock(name)} aria-label={locked ? TEXT.unlock(name) : TEXT.lock(name)}
            onClick={() => { if (proposed !== null) onLock(proposed, !locked); }}><Icon name={locked ? "lock" : "unlock"} /></button>
        )
        : <span />}
    </li>
  );
}

function Factorized({ layer, proposed, onRanks }: LayerRowProps & { readonly proposed: ProposedLayer }): JSX.Element {
  const change = (input: HTMLInputElement): void => {
    const ranks = parseRanks(input.value, proposed.ranks.length);
    if (ranks === null) input.value = ranksText(proposed.ranks);
    else if (ranks.some((rank, mode) => rank !== proposed.ranks[mode])) onRanks(proposed, ranks);
  };
  return (
    <>
      <span class="layer-scheme" title={proposed.reason}>{proposed.scheme}</span>
      <input class="layer-rank" type="text" inputMode="numeric" aria-label={TEXT.rankOf(layer.name)} value={ranksText(proposed.ranks)} data-control="rank"
        onChange={({ currentTarget }) => change(currentTarget)} />
      <span class="layer-saving" title={TEXT.savedWeights(savingText(proposed))}>−{savingText(proposed)}</span>
      <span class="layer-error" title={proposed.reason}>{errorText(proposed.relativeError)}</span>
    </>
  );
}
