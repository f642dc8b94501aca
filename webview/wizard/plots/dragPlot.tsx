import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { useEvent, useSize } from "../../components/hooks";
import { useTheme } from "../../components/theme";

/** What a page key moves, in steps of an arrow key. */
const PAGE = 10;

interface DragPlotProps {
  /** Changes when the lines change; what moves over them is drawn by `draw`. */
  readonly data: uPlot.AlignedData;
  readonly height: number;
  readonly options: (width: number, height: number) => Omit<uPlot.Options, "width" | "height" | "hooks">;
  /** Draws what moves, over the lines. */
  readonly draw: (plot: uPlot, pixelRatio: number) => void;
  readonly label: string;
  readonly value: { readonly least: number; readonly most: number; readonly now: number; readonly text: string };
  /** Told where on the x axis the pointer is while it is held down. */
  readonly onDrag: (x: number) => void;
  /** The pointer was released, or a key was pressed. */
  readonly onDropped?: () => void;
  /** Told the steps of the keys; ±Infinity for the ends. */
  readonly onStep: (steps: number) => void;
}

/** A plot along which a value is dragged, or moved by the arrow keys. */
export function DragPlot({ data, height, options, draw, label, value, onDrag, onDropped, onStep }: DragPlotProps): JSX.Element {
  const theme = useTheme();
  const [measure, { width }] = useSize<HTMLDivElement>();
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const drawNow = useEvent(draw);

  useEffect(() => {
    if (place.current === null || width === 0) return;
    const hooks = { draw: [(drawn: uPlot) => drawNow(drawn, uPlot.pxRatio)] };
    plot.current = new uPlot({ ...options(width, height), width, height, hooks }, data, place.current);
    return () => {
      plot.current?.destroy();
      plot.current = null;
    };
  }, [data, width, height, theme]);
  useEffect(() => plot.current?.redraw(false), [value.now, draw]);

  const move = (event: PointerEvent): void => {
    const drawn = plot.current;
    if (drawn === null) return;
    const { left, width: inner } = drawn.over.getBoundingClientRect();
    onDrag(drawn.posToVal(Math.max(0, Math.min(inner, event.clientX - left)), "x"));
  };
  const held = (event: PointerEvent): boolean => (event.currentTarget as HTMLElement).hasPointerCapture(event.pointerId);
  const onKeyDown = (event: KeyboardEvent): void => {
    const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: PAGE, PageDown: -PAGE, Home: -Infinity, End: Infinity }[event.key];
    if (steps === undefined) return;
    event.preventDefault();
    onStep(steps);
    onDropped?.();
  };
  return (
    <div class="plot-place drag-plot" ref={measure} role="slider" tabIndex={0} aria-label={label} aria-valuemin={value.least} aria-valuemax={value.most}
      aria-valuenow={value.now} aria-valuetext={value.text} onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        move(event);
      }}
      onPointerMove={(event) => { if (held(event)) move(event); }}
      onPointerUp={(event) => { if (held(event)) onDropped?.(); }}>
      <div ref={place} style={{ height: `${height}px` }} />
    </div>
  );
}
