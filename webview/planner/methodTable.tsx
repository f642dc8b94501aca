import type { JSX } from "preact";
import { bytesText, fineShareText } from "../../src/shared/figures";
import type { Estimated, PlanRow } from "../../src/shared/plannerPage";
import { Icon } from "../components/icons";
import { Tip } from "../components/tip";
import { groupedText, nextSort, sorted, type Sort, type SortKey } from "./figures";
import { TEXT } from "./strings";

interface MethodTableProps {
  readonly rows: readonly PlanRow[];
  readonly own: string | null;
  readonly sort: Sort | null;
  readonly onSort: (sort: Sort | null) => void;
}

interface Column {
  readonly by: SortKey;
  readonly text: string;
  readonly title: string;
}

const COLUMNS: readonly Column[] = [
  { by: "label", text: TEXT.method, title: TEXT.methodTitle },
  { by: "trainable", text: TEXT.trainable, title: TEXT.trainableTitle },
];
const FURTHER: readonly Column[] = [
  { by: "savedBytes", text: TEXT.saved, title: TEXT.savedTitle },
  { by: "optimizerBytes", text: TEXT.optimizer, title: TEXT.optimizerTitle },
];

/** One line for each method. Heads sort; a method's name explains itself. */
export function MethodTable({ rows, own, sort, onSort }: MethodTableProps): JSX.Element {
  const head = (column: Column): JSX.Element => <Head key={column.by} {...column} sort={sort} onSort={onSort} />;
  return (
    <div class="table-place" tabIndex={0} role="region" aria-label={TEXT.methods}>
      <table>
        <thead>
          <tr>
            {COLUMNS.map(head)}
            <th scope="col" class="figure" title={TEXT.shareTitle}><span class="plain-head">{TEXT.share}</span></th>
            {FURTHER.map(head)}
            <th scope="col"><span class="plain-head">{TEXT.formula}</span></th>
          </tr>
        </thead>
        <tbody>{sorted(rows, sort).map((row) => <MethodLine key={row.id} row={row} isOwn={row.id === own} />)}</tbody>
      </table>
    </div>
  );
}

interface HeadProps extends Column {
  readonly sort: Sort | null;
  readonly onSort: (sort: Sort | null) => void;
}

function Head({ by, text, title, sort, onSort }: HeadProps): JSX.Element {
  const mine = sort?.key === by ? sort : null;
  return (
    <th scope="col" class={by === "label" ? "" : "figure"} aria-sort={mine === null ? "none" : mine.descending ? "descending" : "ascending"}>
      <button type="button" class="head-button" title={title} onClick={() => onSort(nextSort(sort, by))}>
        {text}
        {mine !== null && <Icon name="up" class={mine.descending ? "down-icon" : ""} />}
      </button>
    </th>
  );
}

function MethodLine({ row, isOwn }: { readonly row: PlanRow; readonly isOwn: boolean }): JSX.Element {
  const { label, group, trainable, share, savedBytes, optimizerBytes, formula, source, url, estimated, note } = row;
  const figure = (which: Estimated, text: string, title?: string): JSX.Element => {
    const isEstimate = which === estimated;
    return <td class={`figure ${isEstimate ? "estimate" : ""}`} title={[title ?? "", isEstimate ? TEXT.estimateTitle : ""].filter((part) => part !== "").join(". ")}>{isEstimate && TEXT.estimate}{text}</td>;
  };
  return (
    <tr class={isOwn ? "own" : ""} aria-current={isOwn ? "true" : undefined}>
      <th scope="row">
        <Tip term={label}>
          <p>{TEXT.group[group]}</p>
          {note !== "" && <p>{note}</p>}
          <p class="quiet">{source}</p>
        </Tip>
        {isOwn && <span class="badge">{TEXT.own}</span>}
      </th>
      {figure("trainable", groupedText(trainable))}
      <td class="figure">{fineShareText(share)}</td>
      {figure("saved", bytesText(savedBytes), TEXT.bytes(groupedText(savedBytes)))}
      {figure("optimizer", bytesText(optimizerBytes), TEXT.bytes(groupedText(optimizerBytes)))}
      <td class="formula">{formula} <a href={url} aria-label={`${TEXT.source}: ${label}, ${source}`}>{TEXT.source}</a></td>
    </tr>
  );
}
