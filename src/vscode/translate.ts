/**
 * Looks a sentence up in the language of the editor; `{0}` … are replaced by the arguments. It is
 * `vscode.l10n.t` in the editor. Files that must not know `vscode` take it as a parameter named `t`: a test
 * finds all sentences by that name and compares them with l10n/bundle.l10n.json.
 */
export type Translate = (message: string, ...args: (string | number)[]) => string;
