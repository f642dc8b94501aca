import { Component, type JSX } from "preact";
import { Icon } from "../../components/icons";
import type { ThemeKind } from "../../components/themeKind";
import type { TableLine } from "../../../src/shared/protocol";
import type { LayerRow } from "../../../src/shared/report";
import { partText } from "../figures";
import { TEXT } from "../strings";
import type { Column } from "./columns";

interface TableRowProps {
  readonly line: TableLine | undefined;
  readonly index: number;
  readonly columns: readonly Column[];
  readonly selected: boolean;
  readonly theme: ThemeKind;
  readonly onSelect: (index: number) => void;
  readonly onToggle: (name: string) => void;
}

export const rowElementId = (index: number): string => `line-${index}`;

/** One line; a skeleton while its page is on the way. Scrolling renders only the lines that come into view. */
export class TableRow extends Component<TableRowProps> {
  override shouldComponentUpdate(next: TableRowProps): boolean {
    const keys: readonly (keyof TableRowProps)[] = ["line", "index", "columns", "selected", "theme"];
    return keys.some((key) => next[key] !== this.props[key]);
  }

  override render(): JSX.Element {
    return this.props.line === undefined ? <Skeleton {...this.props} /> : <Line {...this.props} line={this.props.line} />;
  }
}

function Skeleton({ index, columns }: TableRowProps): JSX.Element {
  return (
    <div class="row skeleton" role="row" id={rowElementId(index)} aria-rowindex={index + 2} aria-level={1} aria-busy="true">
      <div class="cell name" role="rowheader"><span /></div>
      {columns.map(({ id }) => <div class="cell" role="gridcell" key={id}><span /></div>)}
    </div>
  );
}

function Line({ line, index, columns, selected, theme, onSelect, onToggle }: TableRowProps & { readonly line: TableLine }): JSX.Element {
  const { row, depth, children, expanded } = line;
  const classes = ["row", row.state, depth === 1 ? "part" : "", selected ? "selected" : ""].filter((name) => name !== "").join(" ");
  return (
    <div class={classes} role="row" id={rowElementId(index)} aria-rowindex={index + 2} aria-level={depth + 1} aria-selected={selected}
      {...(children > 0 ? { "aria-expanded": expanded } : {})} title={whyMissing(row)} onClick={() => onSelect(index)}>
      <div class="cell name" role="rowheader" title={nameTitle(line)}>
        <span class={children > 0 ? "twistie" : "twistie none"} aria-hidden="true" onClick={(event) => {
          if (children === 0) return;
          event.stopPropagation();
          onToggle(row.name);
        }}>{children > 0 && <Icon name="chevron" class={expanded ? "turned" : ""} />}</span>
        <Name line={line} />
        {row.state === "failed" && <Icon name="error" class="state-icon" />}
        {row.state === "computing" && <Icon name="waiting" class="state-icon spinning" />}
        {row.state !== "done" && <span class="visually-hidden">{whyMissing(row)}</span>}
      </div>
      {columns.map((column) => (
        <div class={column.numeric ? "cell numeric" : "cell"} role="gridcell" key={column.id}>{column.cell(line, theme)}</div>
      ))}
    </div>
  );
}

/** Block and module apart where the model has blocks; the whole name is in the title. */
function Name({ line: { row, depth, children, mean } }: { readonly line: TableLine }): JSX.Element {
  if (depth === 1) return <span class="module"><bdi>{partText(row)}</bdi></span>;
  return (
    <>
      {row.block !== null && <span class="block"><bdi dir="ltr">{row.block}</bdi></span>}
      <span class="module"><bdi dir="ltr">{row.block === null ? row.name : row.module}</bdi></span>
      {children > 0 && <span class="children">{mean ? TEXT.meanOf(children) : `+${children}`}</span>}
    </>
  );
}

function nameTitle({ row, depth, children }: TableLine): string {
  const part = depth === 1 ? `\n${partText(row)}` : "";
  return `${row.name}${part}${children > 0 ? `\n${TEXT.parts(children)}` : ""}${row.state === "done" ? "" : `\n${whyMissing(row) ?? ""}`}`;
}

/** Why a row has no measures; undefined when it has. */
export function whyMissing(row: LayerRow): string | undefined {
  switch (row.state) {
    case "done": return undefined;
    case "pending": return TEXT.pending;
    case "computing": return TEXT.computing;
    case "failed": return row.fault === null ? TEXT.failedCell : `${row.fault.message} ${row.fault.next}`.trim();
  }
}
