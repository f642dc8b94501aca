import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useEvent, useSize } from "../../components/hooks";
import { useTheme } from "../../components/theme";
import { countText, percentText } from "../../../src/shared/figures";
import type { MapCell, ModelMap } from "../../../src/shared/protocol";
import { TEXT } from "../strings";
import { drawMap } from "./drawMap";
import { cellAt, mapLayout, neighbour, positionOf, type CellPosition, type MapLayout, type PlacedCell } from "./mapLayout";

interface MapPictureProps {
  readonly map: ModelMap;
  readonly selected: number | null;
  readonly onSelect: (cell: MapCell) => void;
}

/**
 * The cells on a canvas of the size of the window on them, however many there are. For the keyboard and for screen
 * readers it is a grid of which one cell is in the document: the current one.
 */
export function MapPicture({ map, selected, onSelect }: MapPictureProps): JSX.Element {
  const theme = useTheme();
  const [measure, size] = useSize<HTMLDivElement>();
  const frame = useRef<HTMLDivElement | null>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [scroll, setScroll] = useState({ x: 0, y: 0 });
  const [current, setCurrent] = useState<number | null>(null);
  const [hovered, setHovered] = useState<PlacedCell | null>(null);
  const layout = useMemo(() => mapLayout(map, size.width - EDGE, TEXT.others), [map, size.width]);
  const position = positionOf(layout, current ?? selected ?? -1) ?? firstOf(layout);
  const placed = position === null ? null : (layout.lines[position.line]?.[position.at] ?? null);

  useEffect(() => {
    const ctx = canvas.current?.getContext("2d");
    if (canvas.current === null || !ctx || size.width === 0) return;
    const ratio = devicePixelRatio;
    const [width, height] = [size.width, Math.min(size.height, layout.height)];
    canvas.current.width = Math.round(width * ratio);
    canvas.current.height = Math.round(height * ratio);
    Object.assign(canvas.current.style, { width: `${width}px`, height: `${height}px` });
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawMap(ctx, { layout, theme: theme.kind, selected, view: { ...scroll, width, height } });
  }, [layout, theme, selected, size, scroll]);

  const cellUnder = (event: MouseEvent): PlacedCell | null => {
    const box = frame.current?.getBoundingClientRect();
    return box === undefined ? null : cellAt(layout, event.clientX - box.left + scroll.x, event.clientY - box.top + scroll.y);
  };
  const attach = useEvent((element: HTMLDivElement | null) => {
    frame.current = element;
    measure(element);
  });
  const select = (cell: PlacedCell | null): void => {
    if (cell === null) return;
    setCurrent(cell.cell.id);
    onSelect(cell.cell);
  };
  /** Keys can come faster than the page draws. */
  const latest = useRef(position);
  latest.current = position;
  const onKeyDown = (event: KeyboardEvent): void => {
    const isChoice = event.key === "Enter" || event.key === " ";
    const next = latest.current === null ? null : isChoice ? latest.current : neighbour(layout, latest.current, event.key);
    const cell = next === null ? undefined : layout.lines[next.line]?.[next.at];
    if (cell === undefined) return;
    event.preventDefault();
    latest.current = next;
    if (isChoice) return select(cell);
    setCurrent(cell.cell.id);
    reveal(frame.current, cell);
  };

  const label = map.blocks.length > 0 ? TEXT.mapLabel(map.blocks.length, map.modules.length) : TEXT.stripLabel(map.strip.length);
  return (
    <div class="map" role="grid" aria-label={label} tabIndex={0} ref={attach} title={hovered === null ? undefined : describe(hovered.cell)}
      aria-rowcount={layout.lines.length} aria-colcount={Math.max(1, ...layout.lines.map((line) => line.length))}
      {...(placed === null ? {} : { "aria-activedescendant": "map-cell" })}
      onScroll={(event) => setScroll({ x: event.currentTarget.scrollLeft, y: event.currentTarget.scrollTop })}
      onKeyDown={onKeyDown} onPointerMove={(event) => setHovered(cellUnder(event))} onPointerLeave={() => setHovered(null)}
      onClick={(event) => select(cellUnder(event))}>
      <div class="map-extent" role="presentation" style={{ width: `${layout.width}px`, height: `${layout.height}px` }}>
        <canvas ref={canvas} aria-hidden="true" />
        {placed !== null && position !== null && <CurrentCell placed={placed} position={position} selected={selected !== null && placed.cell.rows.includes(selected)} />}
      </div>
    </div>
  );
}

/** Room for the ring around a selected cell at the right edge. CSS pixels. */
const EDGE = 4;

function CurrentCell({ placed, position, selected }: { readonly placed: PlacedCell; readonly position: CellPosition; readonly selected: boolean }): JSX.Element {
  const { x, y, width, height, cell } = placed;
  return (
    <div role="row" aria-rowindex={position.line + 1}>
      <div id="map-cell" class="map-cell" role="gridcell" aria-colindex={position.at + 1} aria-selected={selected}
        style={{ left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` }}>
        <span class="visually-hidden">{describe(cell)}</span>
      </div>
    </div>
  );
}

function describe({ name, state, utilization, parameters }: MapCell): string {
  const figure = utilization !== null ? TEXT.utilized(percentText(utilization)) : state === "failed" ? TEXT.failedCell : TEXT.notMeasured;
  return TEXT.cell(name, figure, countText(parameters));
}

function firstOf({ lines }: MapLayout): CellPosition | null {
  const line = lines.findIndex((cells) => cells.length > 0);
  return line < 0 ? null : { line, at: 0 };
}

function reveal(frame: HTMLElement | null, { x, y, width, height }: PlacedCell): void {
  if (frame === null) return;
  if (x < frame.scrollLeft) frame.scrollLeft = x;
  else if (x + width > frame.scrollLeft + frame.clientWidth) frame.scrollLeft = x + width - frame.clientWidth;
  if (y < frame.scrollTop) frame.scrollTop = y;
  else if (y + height > frame.scrollTop + frame.clientHeight) frame.scrollTop = y + height - frame.clientHeight;
}
