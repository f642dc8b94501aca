import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { useTheme } from "../../components/theme";
import type { SortKey, TableLine } from "../../../src/shared/protocol";
import type { PlainFault } from "../../../src/shared/fault";
import { groupedText } from "../figures";
import type { Host } from "../host";
import { TEXT } from "../strings";
import type { UiState } from "../uiState";
import { asFault } from "../../components/pageHost";
import type { ReportState } from "../useReport";
import { ColumnChooser } from "./columnChooser";
import { columnsOf, tabSeparated, widthToUtilization } from "./columns";
import { FILTER_ID, FilterBox } from "./filterBox";
import { LineWindow } from "./lineWindow";
import { linesToLayer, tableAction, toggled } from "./tableKeys";
import { useActiveLine } from "./useActiveLine";
import { useLines } from "./useLines";
import { useWindow } from "./useWindow";

interface LayerTableProps {
  readonly host: Host;
  readonly report: ReportState;
  readonly ui: UiState;
  readonly setUi: (changes: Partial<UiState>) => void;
  /** A layer to go to, by the id of its row; a new object for each time. */
  readonly goTo: { readonly id: number } | null;
  /** Told the selected line, and again when its measures come. */
  readonly onLine: (line: TableLine) => void;
  readonly onCopy: (text: string) => void;
}

/** The table of layers: the engine sorts, filters and folds; the page holds what is on the screen. */
export function LayerTable({ host, report, ui, setUi, goTo, onLine, onCopy }: LayerTableProps): JSX.Element {
  const { kind } = useTheme();
  const [fault, setFault] = useState<PlainFault | null>(null);
  const pages = useLines(host, report, ui, (error) => setFault(asFault(error)));
  const view = useWindow(pages, ui.scrollTop, (scrollTop) => setUi({ scrollTop }));
  const wide = useMemo(() => columnsOf(ui.columns, false), [ui.columns]);
  const narrow = view.width > 0 && view.width < widthToUtilization(wide);
  const columns = useMemo(() => (narrow ? columnsOf(ui.columns, true) : wide), [wide, narrow]);
  const active = useActiveLine({ host, pages, view, ui, goTo, onSelect: (selected) => setUi({ selected }), onLine });
  useEffect(() => setFault(null), [ui.sort, ui.filter, ui.open, report.revision]);

  const fold = (name: string): void => setUi({ open: toggled(ui.open, name) });
  const sortBy = (key: SortKey): void => {
    // First click: names rise, figures fall; second click: the other way; third: the order of the model.
    const first = key === "name" || key === "kind" ? false : true;
    const { sort } = ui;
    setUi({ sort: sort.key !== key ? { key, descending: first } : sort.descending === first ? { key, descending: !first } : { key: "model", descending: false }, scrollTop: 0 });
    view.scrollTo(0);
  };
  const filterBy = (filter: string): void => {
    setUi({ filter, scrollTop: 0 });
    view.scrollTo(0);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // The head has keys of its own.
    if (event.target !== event.currentTarget) return;
    const at = active.latest();
    const index = at ?? 0;
    const action = tableAction(event, index === 0, view.pageLines);
    if (action === null) return;
    event.preventDefault();
    const line = pages.line(index);
    switch (action.type) {
      case "move": return active.move(at === null ? 0 : index + action.by);
      case "first": return active.move(0);
      case "last": return active.move(Infinity);
      case "head": return view.element()?.querySelector<HTMLElement>(".head-label[tabindex='0']")?.focus();
      case "filter": return document.getElementById(FILTER_ID)?.focus();
      case "copy": return line === undefined ? undefined : onCopy(tabSeparated([line], columns));
      case "toggle": return line !== undefined && line.children > 0 ? fold(line.row.name) : active.move(index);
      case "unfold": return line !== undefined && line.children > 0 && !line.expanded ? fold(line.row.name) : undefined;
      case "fold": {
        if (line?.expanded === true) return fold(line.row.name);
        return active.move(index - linesToLayer(index, (at) => pages.line(at)));
      }
    }
  };

  return (
    <div class="table-pane">
      <div class="table-tools">
        <FilterBox filter={ui.filter} onFilter={filterBy} onLeave={() => view.element()?.focus()} />
        <span class="count" role="status">{countText(pages.total, pages.layers, ui.filter)}</span>
        <ColumnChooser columns={ui.columns} onColumns={(next) => setUi({ columns: next })} />
      </div>
      {fault !== null && <p class="table-fault" role="alert"><bdi>{fault.message}</bdi> <bdi>{fault.next}</bdi></p>}
      <LineWindow pages={pages} view={view} columns={columns} theme={kind} active={active} sort={ui.sort} filter={ui.filter}
        onSort={sortBy} onToggle={fold} onKeyDown={onKeyDown} />
    </div>
  );
}

function countText(total: number | null, layers: number, filter: string): string {
  if (total === null) return "";
  return filter.trim() === "" ? TEXT.allShown(groupedText(layers)) : TEXT.shown(groupedText(total), groupedText(layers));
}
