import type { JSX } from "preact";
import { bytesText, countText } from "../../src/shared/figures";
import { formatLabel } from "../../src/shared/formatLabel";
import type { OpenedModel } from "../../src/shared/protocol";
import { fileName, folderName } from "./figures";
import { TEXT } from "./strings";

/** Which model the form is for. */
export function ModelHead({ path, opened, onChange }: { readonly path: string; readonly opened: OpenedModel | null; readonly onChange: () => void }): JSX.Element {
  const folder = folderName(path);
  return (
    <header class="model-head">
      <div>
        <h2 title={path}>{folder !== "" && <bdi class="folder">{folder}/</bdi>}<bdi>{fileName(path)}</bdi></h2>
        {opened !== null && <p class="quiet">{[formatLabel(opened.summary.format), `${countText(opened.summary.parameters)} ${TEXT.parameters}`, bytesText(opened.summary.bytes)].map(unbroken).join(" · ")}</p>}
      </div>
      <button type="button" class="link-button" title={TEXT.changeModel} onClick={onChange}>{TEXT.change}</button>
    </header>
  );
}

/** A figure and its unit stay on one line. */
function unbroken(text: string): string {
  return text.replaceAll(" ", "\u00a0");
}
