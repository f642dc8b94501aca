import type { JSX } from "preact";
import { Icon } from "../../components/icons";
import { Popup } from "../../components/popup";
import { Checkbox } from "../../components/toolkit";
import type { SortKey } from "../../../src/shared/protocol";
import { TEXT } from "../strings";
import { FURTHER_MEASURES } from "./columns";

const CHOICES: readonly { readonly key: SortKey; readonly label: string }[] = [{ key: "parameters", label: TEXT.parameters }, ...FURTHER_MEASURES];

export function ColumnChooser({ columns, onColumns }: { readonly columns: readonly SortKey[]; readonly onColumns: (columns: readonly SortKey[]) => void }): JSX.Element {
  return (
    <Popup label={TEXT.columns} role="group" icon={<Icon name="columns" />}>
      {() => CHOICES.map(({ key, label }) => (
        <Checkbox key={key} checked={columns.includes(key)}
          onChange={(checked) => onColumns(checked ? [...columns, key] : columns.filter((each) => each !== key))}>
          {label}
        </Checkbox>
      ))}
    </Popup>
  );
}
