import { provideVSCodeDesignSystem, vsCodeButton, vsCodeCheckbox, vsCodeDropdown, vsCodeOption, vsCodeProgressRing } from "@vscode/webview-ui-toolkit";
import { h, type ComponentChildren, type JSX } from "preact";

/**
 * The one file that knows the toolkit: buttons, checkboxes, dropdowns and the progress ring. It is archived;
 * a successor changes what stands here and nothing else. Its styles are constructed style sheets, which a
 * strict content security policy allows.
 */
export function registerToolkit(): void {
  provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeCheckbox(), vsCodeDropdown(), vsCodeOption(), vsCodeProgressRing());
}

/** An element of the toolkit: properties where it has them, attributes otherwise. */
function element(name: string, properties: Readonly<Record<string, unknown>>, ...children: ComponentChildren[]): JSX.Element {
  return h(name, properties as object, ...children);
}

interface ButtonProps {
  readonly children: ComponentChildren;
  readonly onClick: () => void;
  readonly secondary?: boolean;
  readonly disabled?: boolean;
  readonly class?: string;
}

export function Button({ children, onClick, secondary = false, disabled = false, class: className }: ButtonProps): JSX.Element {
  return element("vscode-button", { appearance: secondary ? "secondary" : "primary", disabled, class: className, onClick }, children);
}

interface CheckboxProps {
  readonly children: ComponentChildren;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}

export function Checkbox({ children, checked, onChange }: CheckboxProps): JSX.Element {
  // The element also says `change` when its property is set: only what differs was done by a person.
  const changed = ({ currentTarget }: { currentTarget: EventTarget | null }): void => {
    const now = (currentTarget as HTMLElement & { checked: boolean }).checked;
    if (now !== checked) onChange(now);
  };
  return element("vscode-checkbox", { checked, onChange: changed }, children);
}

interface DropdownProps<V extends string> {
  readonly label: string;
  /** refusal: why it cannot be chosen. */
  readonly options: readonly { readonly value: V; readonly text: string; readonly refusal?: string | null }[];
  readonly value: V;
  readonly onChange: (value: V) => void;
}

export function Dropdown<V extends string>({ label, options, value, onChange }: DropdownProps<V>): JSX.Element {
  const changed = ({ currentTarget }: { currentTarget: EventTarget | null }): void => {
    const now = (currentTarget as HTMLElement & { value: string }).value;
    const option = options.find((each) => each.value === now);
    if (option !== undefined && option.value !== value) onChange(option.value);
  };
  const refusals = options.flatMap(({ refusal }) => (typeof refusal === "string" ? [refusal] : []));
  return element("vscode-dropdown", { "aria-label": label, onChange: changed, ...(refusals.length === 0 ? {} : { title: refusals.join("\n") }) },
    options.map(({ value: own, text, refusal }) => element("vscode-option", {
      key: own, value: own, selected: own === value, ...(typeof refusal === "string" ? { disabled: true, title: refusal } : {}),
    }, text)));
}

export function ProgressRing({ label }: { readonly label: string }): JSX.Element {
  return element("vscode-progress-ring", { "aria-label": label });
}
