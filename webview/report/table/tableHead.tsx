import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { Icon } from "../../components/icons";
import type { RowsQuery, SortKey } from "../../../src/shared/protocol";
import { TEXT } from "../strings";
import type { Column } from "./columns";

interface TableHeadProps {
  readonly columns: readonly Column[];
  readonly sort: RowsQuery["sort"];
  readonly onSort: (key: SortKey) => void;
  /** Down from the head: the lines. */
  readonly onLeave: () => void;
}

interface Head {
  readonly id: string;
  readonly head: string;
  readonly title: string;
  readonly numeric: boolean;
  readonly sort: SortKey | null;
}

/** One stop of the tab key: arrows move between the columns, Enter and Space sort. */
export function TableHead({ columns, sort, onSort, onLeave }: TableHeadProps): JSX.Element {
  const row = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState(0);
  const heads: readonly Head[] = [{ id: "name", head: TEXT.layer, title: TEXT.nameTitle, numeric: false, sort: "name" }, ...columns];
  const onKeyDown = (event: KeyboardEvent): void => {
    const labels = [...(row.current?.querySelectorAll<HTMLElement>(".head-label") ?? [])];
    const at = labels.indexOf(event.target as HTMLElement);
    const target = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: heads.length - 1 }[event.key];
    if (target !== undefined) labels[Math.min(heads.length - 1, Math.max(0, target))]?.focus();
    else if (event.key === "ArrowDown") onLeave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="row head" role="row" aria-rowindex={1} ref={row} onKeyDown={onKeyDown}>
      {heads.map((head, index) => {
        const sorted = head.sort !== null && head.sort === sort.key;
        const tabIndex = index === Math.min(current, heads.length - 1) ? 0 : -1;
        const label = { class: "head-label", title: head.title, tabIndex, onFocus: () => setCurrent(index) };
        return (
          <div key={head.id} class={`cell ${head.id === "name" ? "name" : ""} ${head.numeric ? "numeric" : ""}`} role="columnheader"
            {...(head.sort === null ? {} : { "aria-sort": !sorted ? "none" as const : sort.descending ? "descending" as const : "ascending" as const })}>
            {head.sort === null
              ? <span {...label}>{head.head}</span>
              : (
                <button type="button" {...label} onClick={() => onSort(head.sort!)}>
                  {head.head}
                  {sorted && <Icon name="up" class={sort.descending ? "sort-mark descending" : "sort-mark"} />}
                </button>
              )}
          </div>
        );
      })}
    </div>
  );
}
