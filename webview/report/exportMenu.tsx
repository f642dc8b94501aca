import type { JSX } from "preact";
import { Icon } from "../components/icons";
import { Popup } from "../components/popup";
import type { ExportFormat, TableLine } from "../../src/shared/protocol";
import type { ModelSummary } from "../../src/shared/report";
import { fileName } from "./figures";
import type { Host } from "./host";
import { reportPicture } from "./picture";
import { TEXT } from "./strings";

const FORMATS: readonly { readonly format: ExportFormat; readonly text: string }[] = [
  { format: "csv", text: TEXT.asCsv },
  { format: "json", text: TEXT.asJson },
  { format: "markdown", text: TEXT.asMarkdown },
];

interface ExportMenuProps {
  readonly host: Host;
  readonly summary: ModelSummary;
  readonly line: TableLine | null;
  readonly attempt: (action: () => Promise<string | null>) => void;
}

/** The host asks for the place and writes; the page only draws the picture. */
export function ExportMenu({ host, summary, line, attempt }: ExportMenuProps): JSX.Element {
  const told = ({ saved }: { saved: string | null }): string | null => (saved === null ? null : TEXT.saved(fileName(saved)));
  const exportAs = (format: ExportFormat) => async () => told(await host.request("export", { format }));
  const exportPicture = async (): Promise<string | null> => {
    const map = await host.request("map", null);
    const spectrum = line === null || line.mean ? null : await host.request("spectrum", { id: line.row.id });
    return told(await host.request("exportPng", { base64: await reportPicture(summary, map, spectrum) }));
  };
  return (
    <Popup label={TEXT.exportReport} role="menu" icon={<Icon name="export" />} text={TEXT.exportReport}>
      {(close) => [...FORMATS.map(({ format, text }) => ({ text, action: exportAs(format) })), { text: TEXT.asPng, action: exportPicture }].map(({ text, action }) => (
        <button type="button" role="menuitem" key={text} onClick={() => {
          close();
          attempt(action);
        }}>{text}</button>
      ))}
    </Popup>
  );
}
