/** The editor's kinds of themes; colours of the page's own differ between them. */
export type ThemeKind = "light" | "dark" | "highContrast" | "highContrastLight";
