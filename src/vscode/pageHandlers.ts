import type { EngineClient } from "../engine/client";
import type { PageMethod, PageMethods } from "../shared/page";
import { reportFileName, type ReportFileKind } from "./reportFiles";

/** What a page may have done by its editor. */
export interface PageServices {
  readonly engine: Pick<EngineClient, "request">;
  readonly analyses: { start(path: string): void; cancel(path: string): void };
  /** Asks for a place and writes there; null when the person thought better of it. @throws Fault */
  save(suggested: string, kind: ReportFileKind, content: Uint8Array): Promise<string | null>;
  copy(text: string): Promise<void>;
  showLog(): void;
}

export type PageHandlers = {
  readonly [M in PageMethod]: (params: PageMethods[M]["params"], signal: AbortSignal) => Promise<PageMethods[M]["result"]>;
};

/** Answers a page's requests about the model at `path`; a page can ask about no other. */
export function pageHandlers(path: string, { engine, analyses, save, copy, showLog }: PageServices): PageHandlers {
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
    showLog: async () => {
      showLog();
      return null;
    },
  };
}
