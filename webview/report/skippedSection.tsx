import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Section } from "../components/section";
import { useSize } from "../components/hooks";
import type { SkippedTensor } from "../../src/shared/report";
import { groupedText, sizeText } from "./figures";
import type { Host } from "./host";
import { TEXT } from "./strings";
import { byReason, type ReasonCount } from "./skippedReasons";
import type { ReportState } from "./useReport";

/** Height of a line; `styles/page.css` has the same. CSS pixels. */
const LINE_HEIGHT = 22;
const MARGIN = 10;
/** Tensors of one request: the list is read in whole, as its counts by reason need it. */
const PAGE = 2000;

interface SkippedSectionProps {
  readonly host: Host;
  readonly report: ReportState;
  readonly open: boolean;
  readonly onToggle: (open: boolean) => void;
}

/** Tensors without measures, with the reasons: nothing vanishes silently. */
export function SkippedSection({ host, report, open, onToggle }: SkippedSectionProps): JSX.Element | null {
  const count = report.opened?.skipped ?? 0;
  const [items, setItems] = useState<readonly SkippedTensor[]>([]);
  useEffect(() => {
    let current = true;
    const read = async (): Promise<void> => {
      const all: SkippedTensor[] = [];
      while (all.length < count) {
        const page = await host.request("skipped", { start: all.length, end: all.length + PAGE });
        if (!current || page.items.length === 0) break;
        all.push(...page.items);
      }
      if (current) setItems(all);
    };
    // A list that does not come stays empty under its count; the table says why requests fail.
    if (open) read().catch(() => undefined);
    return () => {
      current = false;
    };
  }, [host, open, count, report.generation]);
  if (count === 0) return null;
  const reasons = byReason(items);
  return (
    <Section id="skipped" title={TEXT.skipped} aside={TEXT.skippedCount(groupedText(count))} open={open} onToggle={onToggle}>
      <SkippedList reasons={reasons} />
    </Section>
  );
}

/** Reasons with their counts, each followed by its tensors; only what is seen is in the document. */
function SkippedList({ reasons }: { readonly reasons: readonly ReasonCount[] }): JSX.Element {
  const [attach, { height }] = useSize<HTMLDivElement>();
  const [top, setTop] = useState(0);
  const lines = reasons.flatMap(({ reason, items }) => [{ reason, count: items.length }, ...items]);
  const start = Math.max(0, Math.floor(top / LINE_HEIGHT) - MARGIN);
  const shown = lines.slice(start, Math.ceil((top + height) / LINE_HEIGHT) + MARGIN);
  return (
    <div class="skipped-list" role="region" aria-label={TEXT.skippedLabel} tabIndex={0} ref={attach} onScroll={(event) => setTop(event.currentTarget.scrollTop)}>
      <ul style={{ height: `${lines.length * LINE_HEIGHT}px`, paddingTop: `${start * LINE_HEIGHT}px` }}>
        {shown.map((line, offset) => (
          <li key={start + offset} class={"count" in line ? "reason" : "tensor"}>
            {"count" in line
              ? <><bdi>{line.reason}</bdi> <span class="badge">{groupedText(line.count)}</span></>
              : <><bdi title={line.name}>{line.name}</bdi> <span class="quiet">{sizeText(line.shape)} {line.dtype}</span></>}
          </li>
        ))}
      </ul>
    </div>
  );
}
