import type { Translate } from "../../../../src/vscode/translate";

/** What the editor's own look-up does in English. */
export const english: Translate = (message, ...values) => message.replace(/\{(\d+)\}/g, (_, index: string) => String(values[Number(index)]));
