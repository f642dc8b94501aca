import type { JSX } from "preact";

/** 16 × 16 drawings in the colour of the text around them. Decoration: the name is beside them or on the button. */
const PATHS = {
  chevron: "M6 3.5 10.5 8 6 12.5",
  down: "M3.5 6 8 10.5 12.5 6",
  close: "M4 4l8 8M12 4l-8 8",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  export: "M8 2.5v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11",
  columns: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  search: "M11 6.8a4.2 4.2 0 1 1-8.4 0 4.2 4.2 0 0 1 8.4 0zM10 10l3.8 3.8",
  error: "M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8zM5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4",
  waiting: "M8 2a6 6 0 1 0 6 6",
  layers: "M8 2.5 14 5.6 8 8.7 2 5.6zM2.8 8.2 8 10.9l5.2-2.7M2.8 10.8 8 13.5l5.2-2.7",
  lock: "M4 7.5h8v6H4zM5.5 7.5v-2a2.5 2.5 0 0 1 5 0v2",
  unlock: "M4 7.5h8v6H4zM5.5 7.5v-2a2.5 2.5 0 0 1 4.8-.9",
  reset: "M3.2 8a4.8 4.8 0 1 1 1.6 3.6M3 4.6V8h3.4",
  folder: "M2 4h4l1.5 1.6H14V12.5H2z",
  check: "M3 8.5 6.5 12 13 4.5",
  trash: "M3 4.5h10M6 4.5V3h4v1.5M4.2 4.5l.7 9h6.2l.7-9",
  up: "M8 13V3.5M4 7l4-4 4 4",
} as const;

export function Icon({ name, class: className }: { readonly name: keyof typeof PATHS; readonly class?: string }): JSX.Element {
  return (
    <svg class={`icon ${className ?? ""}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} fill="none" stroke="currentColor" stroke-width="1.2" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}
