import type { JSX } from "preact";
import { Tip } from "../../components/tip";
import { MEASURE_INFO, type MeasureInfo } from "../../../src/shared/measureInfo";
import type { LayerRow, Measures } from "../../../src/shared/report";
import { groupedText, kOf, measureRemark, measureText } from "../figures";
import { TEXT } from "../strings";

/** Ranks are read against K, so they are shown with it. */
const OF_K: readonly MeasureInfo["key"][] = ["effectiveRank", "stableRank"];

/** All measures of a row; each term explains itself. */
export function MeasureList({ row, measures }: { readonly row: LayerRow; readonly measures: Measures }): JSX.Element {
  return (
    <dl class="measures">
      {MEASURE_INFO.map((info) => {
        const remark = measureRemark(info, measures);
        const undefinedHere = info.value(measures) === null && info.key !== "conditionNumber";
        return (
          <div key={info.key} class={undefinedHere ? "undefined" : ""}>
            <dt><Tip term={info.label}><Explanation info={info} /></Tip></dt>
            <dd class={measures.exact ? "" : "estimate"} title={remark ?? (undefinedHere ? TEXT.notDefinedTitle : undefined)}>
              {measureText(info, measures)}
              {OF_K.includes(info.key) && <span class="of-k"> / {groupedText(kOf(row))}</span>}
              {remark !== null && <span class="remark">{remark}</span>}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

function Explanation({ info: { definition, reading, source } }: { readonly info: MeasureInfo }): JSX.Element {
  return (
    <>
      <p>{definition}</p>
      <p><b>{TEXT.howToRead}.</b> {reading}</p>
      <p class="quiet">{TEXT.source}: {source}</p>
    </>
  );
}
