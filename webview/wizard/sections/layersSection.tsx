import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Lock, PlanningLayer, Proposal, ProposedLayer } from "../../../src/shared/planning";
import { groupedText } from "../figures";
import type { WizardHost } from "../host";
import { LayerList } from "../layers/layerList";
import { LayerPane } from "../layers/layerPane";
import { isTaken, withLayers, type Form } from "../state/form";
import { TEXT } from "../strings";

/** Fewer layers than this are found without a filter. */
const FILTERED_FROM = 12;

interface LayersSectionProps {
  readonly host: WizardHost;
  readonly path: string;
  /** Of the planning. */
  readonly revision: number;
  readonly form: Form;
  readonly layers: readonly PlanningLayer[];
  readonly proposal: Proposal | null;
  readonly selected: string | null;
  readonly onSelect: (name: string | null) => void;
  readonly onForm: (changes: Partial<Form>) => void;
}

/** Which layers are factorized, and what becomes of each. */
export function LayersSection({ host, path, revision, form, layers, proposal, selected, onSelect, onForm }: LayersSectionProps): JSX.Element {
  const [filter, setFilter] = useState("");
  const proposed = useMemo(() => new Map((proposal?.layers ?? []).map((layer) => [layer.name, layer])), [proposal]);
  const shown = useMemo(() => layers.filter(({ name, kind }) => matches(`${name} ${kind}`, filter)), [layers, filter]);
  const possible = shown.filter(({ refusal }) => refusal === null);
  const lock = (name: string, value: Lock | null): void => {
    const others = Object.entries(form.locks).filter(([each]) => each !== name);
    onForm({ locks: Object.fromEntries(value === null ? others : [...others, [name, value]]) });
  };
  const layer = layers.find(({ name }) => name === selected);
  return (
    <>
      <div class="layer-tools">
        {layers.length >= FILTERED_FROM && (
          <input class="text-input filter-input" type="search" aria-label={TEXT.filter} placeholder={TEXT.filter} value={filter} onInput={({ currentTarget }) => setFilter(currentTarget.value)} />
        )}
        <button type="button" class="link-button" title={TEXT.takeAll} onClick={() => onForm(withLayers(form, possible, true))}>{TEXT.all}</button>
        <button type="button" class="link-button" title={TEXT.takeNone} onClick={() => onForm(withLayers(form, possible, false))}>{TEXT.none}</button>
        <button type="button" class="link-button" title={TEXT.takeDefaults} onClick={() => onForm({ included: [], excluded: [], locks: {} })}>{TEXT.defaults}</button>
      </div>
      <LayerList layers={shown} proposed={proposed} taken={(each) => isTaken(form, each)} locked={(name) => Object.hasOwn(form.locks, name)} selected={selected}
        onTake={(each, taken) => onForm(withLayers(form, [each], taken))}
        onSelect={(name) => onSelect(name === selected ? null : name)}
        onLock={(each, locked) => lock(each.name, locked ? lockOf(each) : null)}
        onRanks={(each, ranks) => lock(each.name, { ...lockOf(each), ranks })} />
      {layer !== undefined && (
        <LayerPane host={host} path={path} as={form.as} revision={revision} layer={layer} proposed={proposed.get(layer.name) ?? null} locked={Object.hasOwn(form.locks, layer.name)}
          onLock={(value) => {
            lock(layer.name, value);
            // A rank that is set by hand is wanted.
            if (value !== null && !isTaken(form, layer)) onForm(withLayers(form, [layer], true));
          }}
          onClose={() => onSelect(null)} />
      )}
    </>
  );
}

/** Of all layers that can be factorized, those that are. */
export function layersAside(form: Form, layers: readonly PlanningLayer[]): string {
  const possible = layers.filter(({ refusal }) => refusal === null);
  return TEXT.layersAside(groupedText(possible.filter((layer) => isTaken(form, layer)).length), groupedText(possible.length));
}

function lockOf({ scheme, ranks }: ProposedLayer): Lock {
  return { scheme, ranks };
}

function matches(text: string, filter: string): boolean {
  const lower = text.toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => lower.includes(word));
}
