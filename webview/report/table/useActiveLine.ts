import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { TableLine } from "../../../src/shared/protocol";
import { useEvent } from "../../components/hooks";
import type { Host } from "../host";
import type { Selection, UiState } from "../uiState";
import type { LinePages } from "./linePages";
import type { TableView } from "./useWindow";

interface ActiveLineOptions {
  readonly host: Host;
  readonly pages: LinePages;
  readonly view: TableView;
  readonly ui: UiState;
  readonly goTo: { readonly id: number } | null;
  readonly onSelect: (selected: Selection) => void;
  readonly onLine: (line: TableLine) => void;
}

export interface ActiveLine {
  /** Where the selected line stands now; null: nothing is selected, or it is filtered out. */
  readonly index: number | null;
  readonly move: (index: number) => void;
  /** As `index`, even when keys come faster than the page draws. */
  readonly latest: () => number | null;
}

/**
 * The selected line. It is a row, and keeps its row when the table is sorted or filtered anew; where it then stands
 * is looked up among the lines that are held, or asked of the engine.
 */
export function useActiveLine({ host, pages, view, ui, goTo, onSelect, onLine }: ActiveLineOptions): ActiveLine {
  const { selected } = ui;
  /** The line that was moved to or located, while its page may be on the way. */
  const [target, setTarget] = useState<number | null>(null);
  /** The line that is to be selected when it comes; null: none. */
  const moving = useRef<number | null>(null);
  const told = useRef<TableLine | null>(null);

  const held = selected === null ? null : pages.indexOf(selected.id, selected.depth);
  const index = moving.current ?? held ?? target;

  const move = useEvent((wanted: number) => {
    const last = (pages.total ?? 0) - 1;
    if (last < 0) return;
    const next = Math.max(0, Math.min(last, wanted));
    moving.current = next;
    setTarget(next);
    view.reveal(next);
  });

  const locate = useEvent(async (id: number, depth: 0 | 1, reveal: boolean) => {
    const query = { sort: ui.sort, filter: ui.filter, open: ui.open };
    const lineAt = async (at: number) => pages.line(at) ?? (await host.request("rows", { ...query, start: at, end: at + 1 })).lines[0];
    try {
      let { located } = await host.request("rows", { ...query, start: 0, end: 0, locate: id });
      let line = located === null ? undefined : await lineAt(located);
      // A stand-in has the id of its first part, which comes next.
      if (located !== null && line?.expanded === true && line.row.id === id && line.depth < depth) line = await lineAt(++located);
      if (moving.current !== null) return;
      setTarget(located);
      if (located !== null && reveal) view.reveal(located);
      if (line?.row.id === id) onLine(line);
    } catch {
      // The table's own requests fail too, and they say why.
      setTarget(null);
    }
  });
  // A selection of before, or one that the map made.
  useEffect(() => {
    if (goTo !== null) void locate(goTo.id, 0, true);
  }, [goTo]);
  useEffect(() => {
    moving.current = null;
    if (selected !== null && pages.indexOf(selected.id, selected.depth) === null) void locate(selected.id, selected.depth, false);
  }, [pages, ui.sort, ui.filter, ui.open]);

  useLayoutEffect(() => {
    const line = index === null ? undefined : pages.line(index);
    if (line === undefined) return;
    if (moving.current === index) {
      moving.current = null;
      if (selected?.id !== line.row.id || selected.depth !== line.depth) onSelect({ id: line.row.id, depth: line.depth, name: line.row.name });
    } else if (selected?.id !== line.row.id) return;
    if (told.current === line) return;
    told.current = line;
    onLine(line);
  });
  return { index, move, latest: () => moving.current ?? index };
}
