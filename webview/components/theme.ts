import { useEffect, useState } from "preact/hooks";
import type { ThemeKind } from "./themeKind";

/** What kind of theme the editor shows, by the classes that it gives to the body. */
export function themeKind(): ThemeKind {
  const classes = document.body.classList;
  // High contrast light carries both classes of high contrast.
  if (classes.contains("vscode-high-contrast-light")) return "highContrastLight";
  if (classes.contains("vscode-high-contrast")) return "highContrast";
  return classes.contains("vscode-light") ? "light" : "dark";
}

/** The first of these theme colours that the theme has, for canvases; `currentcolor` of the body otherwise. */
export function themeColor(...names: readonly string[]): string {
  const style = getComputedStyle(document.body);
  for (const name of names) {
    const value = style.getPropertyValue(`--vscode-${name}`).trim();
    if (value !== "") return value;
  }
  return style.color;
}

/** The family and size in which canvases write. */
export function themeFont(size: number): string {
  const family = getComputedStyle(document.body).getPropertyValue("--vscode-font-family").trim();
  return `${size}px ${family === "" ? "sans-serif" : family}`;
}

export interface Theme {
  readonly kind: ThemeKind;
  /** Counts the changes: two themes of one kind differ in colours. */
  readonly revision: number;
}

/** The theme; whoever uses it renders again when it changes. */
export function useTheme(): Theme {
  const [theme, setTheme] = useState<Theme>(() => ({ kind: themeKind(), revision: 0 }));
  useEffect(() => {
    const observer = new MutationObserver(() => setTheme(({ revision }) => ({ kind: themeKind(), revision: revision + 1 })));
    observer.observe(document.body, { attributes: true, attributeFilter: ["class", "data-vscode-theme-id"] });
    // The variables of the theme are styles of the root element.
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["style"] });
    return () => observer.disconnect();
  }, []);
  return theme;
}
