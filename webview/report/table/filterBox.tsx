import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../../components/icons";
import { TEXT } from "../strings";

/** The engine is asked when nothing was typed for this long. Milliseconds. */
const DEBOUNCE = 150;

export const FILTER_ID = "filter";

interface FilterBoxProps {
  readonly filter: string;
  readonly onFilter: (filter: string) => void;
  /** Down or Enter: to the lines. */
  readonly onLeave: () => void;
}

export function FilterBox({ filter, onFilter, onLeave }: FilterBoxProps): JSX.Element {
  const [text, setText] = useState(filter);
  const timer = useRef<number>(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const set = (next: string, wait: number): void => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onFilter(next), wait);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && text !== "") set("", 0);
    else if (event.key === "ArrowDown" || event.key === "Enter") onLeave();
    else return;
    event.preventDefault();
  };
  return (
    <div class="filter">
      <Icon name="search" class="filter-icon" />
      <input id={FILTER_ID} type="text" value={text} placeholder={TEXT.filterHint} aria-label={TEXT.filter} spellcheck={false} autocomplete="off"
        onInput={(event) => set(event.currentTarget.value, DEBOUNCE)} onKeyDown={onKeyDown} />
      {text !== "" && (
        <button type="button" class="icon-button" title={TEXT.clearFilter} aria-label={TEXT.clearFilter} onClick={() => set("", 0)}><Icon name="close" /></button>
      )}
    </div>
  );
}
