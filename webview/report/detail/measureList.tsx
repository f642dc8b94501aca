import type { JSX } from "preact";
import { Tip } from "../../components/tip";
import { MEASURE_INFO, type MeasureInfo } from "../../../src/shared/measureInfo";
import type { LayerRow } from "../../../src/shared/report";
import { groupedText, kOf, shownMeasure } from "../figures";
import { TEXT } from "../strings";

/** Ranks are read against K, so they are shown with it. */
const OF_K: readonly MeasureInfo["key"][] = ["effectiveRank", "stableRank"];

/** All measures that are known of a row; each term explains itself. */
export function MeasureList({ row }: { readonly row: LayerRow }): JSX.Element {
  return (
    <dl class="measures">
      {MEASURE_INFO.map((info) => {
        const shown = shownMeasure(info, row);
        if (shown === null) return null;
        return (
          <div key={info.key} class={shown.isUndefined ? "undefined" : ""}>
            <dt><Tip term={info.label}><Explanation info={info} /></Tip></dt>
            <dd class={shown.estimate ? "estimate" : ""} title={shown.remark ?? (shown.isUndefined ? TEXT.notDefinedTitle : undefined)}>
              {shown.text}
              {OF_K.includes(info.key) && <span class="of-k"> / {groupedText(kOf(row))}</span>}
              {shown.remark !== null && <span class="remark">{shown.remark}</span>}
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
