import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useEvent, useSize } from "../../components/hooks";
import type { LinePages } from "./linePages";

/** Height of a line and of the head; `styles/table.css` has the same. CSS pixels. */
export const LINE_HEIGHT = 24;
/** Lines drawn above and below what is seen, so that scrolling shows no gap. */
const MARGIN = 12;

export interface TableView {
  /** CSS pixels; 0 until it is known. */
  readonly width: number;
  readonly attach: (element: HTMLDivElement | null) => void;
  readonly element: () => HTMLDivElement | null;
  /** Lines [start, end) to draw. */
  readonly start: number;
  readonly end: number;
  /** Whole lines of one screen. */
  readonly pageLines: number;
  readonly onScroll: () => void;
  readonly scrollTo: (top: number) => void;
  /** Scrolls as little as needed. */
  readonly reveal: (index: number) => void;
}

/** Which lines are on the screen. @param remembered where the person had scrolled to */
export function useWindow(pages: LinePages, remembered: number, remember: (scrollTop: number) => void): TableView {
  const element = useRef<HTMLDivElement | null>(null);
  const [measure, { width, height }] = useSize<HTMLDivElement>();
  const [top, setTop] = useState(remembered);
  const restored = useRef(false);
  const attach = useEvent((node: HTMLDivElement | null) => {
    element.current = node;
    measure(node);
  });

  const total = pages.total ?? 0;
  const linesHeight = Math.max(LINE_HEIGHT, height - LINE_HEIGHT);
  const start = Math.max(0, Math.floor(top / LINE_HEIGHT) - MARGIN);
  const end = Math.ceil((top + linesHeight) / LINE_HEIGHT) + MARGIN;
  useEffect(() => pages.show(start, end), [pages, start, end]);

  // The place can be taken up again once the lines make the page as high as it was.
  useLayoutEffect(() => {
    if (restored.current || pages.total === null || element.current === null) return;
    restored.current = true;
    element.current.scrollTop = remembered;
    setTop(element.current.scrollTop);
  });

  const onScroll = useEvent(() => {
    if (element.current === null || !restored.current) return;
    setTop(element.current.scrollTop);
    remember(element.current.scrollTop);
  });
  const scrollTo = useEvent((next: number) => {
    if (element.current !== null) element.current.scrollTop = next;
  });
  const reveal = useEvent((index: number) => {
    const node = element.current;
    if (node === null) return;
    const [first, last] = [index * LINE_HEIGHT, (index + 2) * LINE_HEIGHT - node.clientHeight];
    if (node.scrollTop > first) node.scrollTop = first;
    else if (node.scrollTop < last) node.scrollTop = last;
  });
  return {
    width, attach, element: () => element.current, onScroll, scrollTo, reveal,
    start: Math.min(start, total), end: Math.min(end, total), pageLines: Math.max(1, Math.floor(linesHeight / LINE_HEIGHT) - 1),
  };
}
