import type { EngineClient } from "../engine/client";
import type { PageMethods } from "../shared/page";
import type { Handlers } from "./pageConnection";
import { reportFileName, type ReportFileKind } from "./reportFiles";

/** What a page may have done by its editor. */
export interface PageServices {
  readonly engine: Pick<EngineClient, "request">;
  readonly analyses: { start(path: string): void; cancel(path: string): void };
  /** Asks for a place and writes there; null when the person thought better of it. @throws Fault */
  save(suggested: string, kind: ReportFileKind, content: Uint8Array): Promise<string | null>;
  copy(text: string): Promise<void>;
  /** Opens the wizard for the model, or for some of its layers alone. */
  factorize(path: string, only: readonly string[] | null): Promise<void>;
  showLog(): void;
}

export type PageHandlers = Handlers<PageMethods>;

/** Answers a page's requests about the model at `path`; a page can ask about no other. */
export function pageHandlers(path: string, { engine, analyses, save, copy, factorize, showLog }: PageServices): PageHandlers {
  return {
    open: (_, signal) => engine.request("open", { path }, signal),
    analyze: async () => {
      analyses.start(path);
      return null;
    },
    cancel: async () => {
      analyses.cancel(path);
      return null;
    },
    rows: (query, signal) => engine.request("rows", { ...query, path }, signal),
    spectrum: ({ id }, signal) => engine.request("spectrum", { path, id }, signal),
    map: (_, signal) => engine.request("map", { path }, signal),
    skipped: ({ start, end }, signal) => engine.request("skipped", { path, start, end }, signal),
    export: async ({ format }, signal) => {
      const { text } = await engine.request("export", { path, format, spectrum: false }, signal);
      return { saved: await save(reportFileName(path, format), format, new TextEncoder().encode(text)) };
    },
    exportPng: async ({ base64 }) => ({ saved: await save(reportFileName(path, "png"), "png", Buffer.from(base64, "base64")) }),
    copy: async ({ text }) => {
      await copy(text);
      return null;
    },
    factorize: async ({ only }) => {
      await factorize(path, only);
      return null;
    },
    showLog: async () => {
      showLog();
      return null;
    },
  };
}
