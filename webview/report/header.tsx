import type { JSX } from "preact";
import { Icon } from "../components/icons";
import { formatLabel } from "../../src/shared/formatLabel";
import { bytesText, countText } from "../../src/shared/figures";
import type { TableLine } from "../../src/shared/protocol";
import type { ModelSummary } from "../../src/shared/report";
import { ExportMenu } from "./exportMenu";
import { fileName, folderName, groupedText } from "./figures";
import type { Host } from "./host";
import { TEXT } from "./strings";

interface HeaderProps {
  readonly summary: ModelSummary;
  readonly host: Host;
  /** The selected line, for the picture. */
  readonly line: TableLine | null;
  readonly attempt: (action: () => Promise<string | null>) => void;
  readonly onFactorize: () => void;
}

/** What the header of the file says, before anything is computed. */
export function Header({ summary, host, line, attempt, onFactorize }: HeaderProps): JSX.Element {
  const facts = [
    { name: TEXT.format, value: formatLabel(summary.format) },
    { name: TEXT.parameters, value: countText(summary.parameters), title: groupedText(summary.parameters) },
    { name: TEXT.size, value: bytesText(summary.bytes), title: `${groupedText(summary.bytes)} bytes` },
    { name: TEXT.tensors, value: groupedText(summary.tensors) },
  ];
  // Checkpoints of one kind have one file name; the folder tells them apart.
  const folder = folderName(summary.path);
  return (
    <header class="header">
      <div class="header-text">
        <h1 title={summary.path}>{folder !== "" && <bdi class="folder">{folder}/</bdi>}<bdi>{fileName(summary.path)}</bdi></h1>
        <dl class="facts">
          {facts.map(({ name, value, title }) => (
            <div key={name} title={title}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        {summary.notes.length > 0 && (
          <ul class="notes">{summary.notes.map((note) => <li key={note} title={note}><bdi>{note}</bdi></li>)}</ul>
        )}
      </div>
      <button type="button" class="text-button" title={TEXT.factorizeTitle} onClick={onFactorize}><Icon name="layers" />{TEXT.factorize}</button>
      <ExportMenu host={host} summary={summary} line={line} attempt={attempt} />
    </header>
  );
}
