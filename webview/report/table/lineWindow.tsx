import type { JSX } from "preact";
import { useEvent } from "../../components/hooks";
import type { ThemeKind } from "../../components/themeKind";
import type { RowsQuery, SortKey } from "../../../src/shared/protocol";
import { TEXT } from "../strings";
import { NAME_WIDTH, type Column } from "./columns";
import type { LinePages } from "./linePages";
import { TableHead } from "./tableHead";
import { rowElementId, TableRow } from "./tableRow";
import type { ActiveLine } from "./useActiveLine";
import { LINE_HEIGHT, type TableView } from "./useWindow";

interface LineWindowProps {
  readonly pages: LinePages;
  readonly view: TableView;
  readonly columns: readonly Column[];
  readonly theme: ThemeKind;
  readonly active: ActiveLine;
  readonly sort: RowsQuery["sort"];
  readonly filter: string;
  readonly onSort: (key: SortKey) => void;
  readonly onToggle: (name: string) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

/** What is seen of the table: a head that stays, a first column that stays, and a window of lines. */
export function LineWindow({ pages, view, columns, theme, active, sort, filter, onSort, onToggle, onKeyDown }: LineWindowProps): JSX.Element {
  const { total } = pages;
  const select = useEvent((index: number) => active.move(index));
  const toggle = useEvent(onToggle);
  const indices = Array.from({ length: view.end - view.start }, (_, offset) => view.start + offset);
  const inWindow = active.index !== null && active.index >= view.start && active.index < view.end;
  return (
    <div class="table" role="treegrid" aria-label={TEXT.layers} aria-describedby="table-keys" tabIndex={0} ref={view.attach}
      aria-rowcount={(total ?? 0) + 1} aria-colcount={columns.length + 1} aria-busy={total === null}
      {...(inWindow ? { "aria-activedescendant": rowElementId(active.index!) } : {})}
      style={{ "--columns": gridColumns(columns), "--table-width": `${tableWidth(columns)}px` }} onScroll={view.onScroll} onKeyDown={onKeyDown}>
      <TableHead columns={columns} sort={sort} onSort={onSort} onLeave={() => view.element()?.focus()} />
      <div class="lines" role="presentation" style={{ height: `${(total ?? 0) * LINE_HEIGHT}px` }}>
        <div class="lines-window" role="presentation" style={{ top: `${view.start * LINE_HEIGHT}px` }}>
          {indices.map((index) => (
            <TableRow key={index} index={index} line={pages.line(index)} columns={columns} theme={theme} selected={index === active.index} onSelect={select} onToggle={toggle} />
          ))}
        </div>
      </div>
      {total === 0 && <p class="empty">{filter.trim() === "" ? TEXT.noLayers : TEXT.noMatch}</p>}
      <div id="table-keys" class="visually-hidden">{TEXT.copyHint}</div>
    </div>
  );
}

function gridColumns(columns: readonly Column[]): string {
  return [`minmax(${NAME_WIDTH}px, 1fr)`, ...columns.map(({ width }) => `${width}px`)].join(" ");
}

function tableWidth(columns: readonly Column[]): number {
  return columns.reduce((sum, { width }) => sum + width, NAME_WIDTH);
}
