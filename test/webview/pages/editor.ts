import themes from "../support/themes.json";

/** Where a page's state is kept over reloads. */
export const STATE = "state";

/** Every kind of theme that the editor has, with the colours that its webviews get. */
export function showTheme(name: string): void {
  const { variables, body, kind, id } = themes[name as keyof typeof themes];
  const root = document.documentElement;
  for (const key of [...root.style]) root.style.removeProperty(key);
  for (const [key, value] of Object.entries(variables)) root.style.setProperty(`--vscode-${key}`, value);
  document.body.className = body;
  Object.assign(document.body.dataset, { vscodeThemeKind: kind, vscodeThemeId: id });
}
