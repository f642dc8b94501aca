import { existsSync } from "node:fs";
import { chromium, type Browser, type Page } from "playwright-core";
import { servePage, type PageName } from "./pageServer";
import type { StandIn } from "./standInApi";

const CANDIDATES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** No sandbox in containers, no GPU on servers, no network of its own. */
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export interface OpenOptions {
  readonly model?: "transformer" | "convolutions" | "swept" | "many" | "wizard" | "unanalyzed" | "large" | "unrunnable" | "weights" | "none";
  readonly theme?: string;
  /** Everything is measured when the page opens. */
  readonly measured?: boolean;
  /** The model cannot be opened. */
  readonly fault?: boolean;
  readonly width?: number;
  readonly height?: number;
}

/** A page with what went wrong in it: violations of the policy, errors, console errors. It must stay empty. */
export interface OpenedPage {
  readonly page: Page;
  readonly problems: readonly string[];
  /** Runs in the page with the stand-in for the editor. */
  readonly inHost: <R, A>(action: (host: StandIn, argument: A) => R, argument: A) => Promise<R>;
  /** Requests of one method so far, oldest first. */
  readonly requests: (method: string) => Promise<unknown[]>;
}

export interface PageBrowser {
  readonly open: (options?: OpenOptions) => Promise<OpenedPage>;
  readonly close: () => Promise<void>;
}

export async function startBrowser(page: PageName = "report"): Promise<PageBrowser> {
  const executablePath = process.env["CHROMIUM_PATH"] ?? CANDIDATES.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error("These tests need Chromium: install it, or set CHROMIUM_PATH.");
  const [server, browser] = await Promise.all([servePage(page), chromium.launch({ executablePath, args: FLAGS })]);
  return {
    open: (options = {}) => openPage(browser, server.origin, options),
    close: async () => {
      await browser.close();
      await server.close();
    },
  };
}

async function openPage(browser: Browser, origin: string, { model = "transformer", theme = "dark", measured = false, fault = false, width = 1600, height = 900 }: OpenOptions): Promise<OpenedPage> {
  const page = await browser.newPage({ viewport: { width, height } });
  const problems: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("requestfailed", (request) => problems.push(`failed: ${request.url()}`));
  page.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const query = new URLSearchParams({ model, theme, ...(measured ? { measured: "all" } : {}), ...(fault ? { fault: "" } : {}) });
  await page.goto(`${origin}/?${query}`);
  const inHost: OpenedPage["inHost"] = async (action, argument) => {
    const handle = await page.evaluateHandle<StandIn>("standIn");
    return handle.evaluate(action as never, argument as never);
  };
  const requests = (method: string): Promise<unknown[]> =>
    inHost((host, name) => host.requests.filter((request) => request.method === name).map(({ params }) => params as unknown), method);
  return { page, problems, inHost, requests };
}
