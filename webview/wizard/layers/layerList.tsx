import type { JSX } from "preact";
import { useCallback, useEffect, useReducer, useRef, useState } from "preact/hooks";
import { useSize } from "../../components/hooks";
import type { PlanningLayer, ProposedLayer } from "../../../src/shared/planning";
import { TEXT } from "../strings";
import { LayerRow, type LayerRowProps } from "./layerRow";

/** Heights of a row, CSS pixels: `styles/layers.css` has the same. Below this width a layer takes two lines. */
const [ONE_LINE, TWO_LINES, WIDE] = [28, 48, 520];
/** Rows drawn beyond the edges, so that scrolling does not flicker. */
const MORE = 6;
/** Rows seen at once at most. */
const SHOWN = 9;

interface LayerListProps extends Pick<LayerRowProps, "onTake" | "onSelect" | "onLock" | "onRanks"> {
  readonly layers: readonly PlanningLayer[];
  readonly proposed: ReadonlyMap<string, ProposedLayer>;
  readonly taken: (layer: PlanningLayer) => boolean;
  readonly locked: (name: string) => boolean;
  readonly selected: string | null;
}

/** All layers; only those in view are drawn. Up and down move to the same control of the next layer. */
export function LayerList({ layers, proposed, taken, locked, selected, ...actions }: LayerListProps): JSX.Element {
  const [measure, { width }] = useSize<HTMLDivElement>();
  const element = useRef<HTMLDivElement | null>(null);
  const [top, setTop] = useState(0);
  const [, draw] = useReducer((count: number) => count + 1, 0);
  /** A control to go to once its row is drawn. */
  const wanted = useRef<{ readonly index: number; readonly control: string } | null>(null);
  /** Where the focus went to a name because the row's control is disabled: the next row is entered by that control again. */
  const standIn = useRef<{ readonly index: number; readonly control: string } | null>(null);
  const attach = useCallback((box: HTMLDivElement | null) => {
    element.current = box;
    measure(box);
  }, []);
  const wide = width >= WIDE;
  const height = wide ? ONE_LINE : TWO_LINES;
  const visible = Math.min(SHOWN, layers.length);
  const first = Math.max(0, Math.floor(top / height) - MORE);
  const shown = layers.slice(first, first + visible + 2 * MORE);

  useEffect(() => {
    const goal = wanted.current;
    const row = element.current?.querySelector(`[data-index="${goal?.index ?? -1}"]`);
    if (goal === null || row === null || row === undefined) return;
    wanted.current = null;
    const control = row.querySelector<HTMLElement>(`[data-control="${goal.control}"]:enabled`);
    standIn.current = control === null ? goal : null;
    (control ?? row.querySelector<HTMLElement>("[data-control=name]"))?.focus();
  });
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const row = (event.target as HTMLElement).closest<HTMLElement>("[data-index]");
    if (step === undefined || row === null || element.current === null) return;
    event.preventDefault();
    // Keys can come faster than rows are drawn.
    const at = Number(row.dataset["index"]);
    const index = (wanted.current?.index ?? at) + step;
    if (index < 0 || index >= layers.length) return;
    const control = wanted.current?.control ?? (standIn.current?.index === at ? standIn.current.control : (event.target as HTMLElement).dataset["control"]) ?? "name";
    wanted.current = { index, control };
    const box = element.current;
    if (index * height < box.scrollTop) box.scrollTop = index * height;
    if ((index + 1) * height > box.scrollTop + box.clientHeight) box.scrollTop = (index + 1) * height - box.clientHeight;
    setTop(box.scrollTop);
    draw(undefined);
  };
  if (layers.length === 0) return <p class="quiet empty">{TEXT.noMatch}</p>;
  return (
    <>
      <div class={`layer-head ${wide ? "wide" : ""}`} aria-hidden="true">
        <span class="layer-scheme">{TEXT.columns.scheme}</span><span class="layer-rank-head">{TEXT.columns.rank}</span>
        <span class="layer-saving">{TEXT.columns.saving}</span><span class="layer-error">{TEXT.columns.error}</span>
      </div>
      <div class={`layer-list ${wide ? "wide" : ""}`} style={{ height: `${visible * height}px` }} onKeyDown={onKeyDown}
        onScroll={({ currentTarget }) => setTop(currentTarget.scrollTop)} ref={attach}>
        <ul style={{ height: `${layers.length * height}px`, paddingTop: `${first * height}px` }} aria-label={TEXT.layers}>
          {shown.map((layer, offset) => (
            <LayerRow key={layer.name} index={first + offset} count={layers.length} layer={layer} proposed={proposed.get(layer.name) ?? null}
              taken={taken(layer)} locked={locked(layer.name)} selected={layer.name === selected} {...actions} />
          ))}
        </ul>
      </div>
    </>
  );
}
