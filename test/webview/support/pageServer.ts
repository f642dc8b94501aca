import { build } from "esbuild";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { reportHtml } from "../../../src/vscode/reportHtml";

const root = join(import.meta.dirname, "..", "..", "..");

/** The style sheet that the editor puts before those of a webview. */
const EDITOR_STYLES = `
html { scrollbar-color: var(--vscode-scrollbarSlider-background) var(--vscode-editor-background); }
body { overscroll-behavior-x: none; background-color: transparent; color: var(--vscode-editor-foreground); font-family: var(--vscode-font-family);
  font-weight: var(--vscode-font-weight); font-size: var(--vscode-font-size); margin: 0; padding: 0 20px; }
a { color: var(--vscode-textLink-foreground); }
input:focus { outline: 1px solid -webkit-focus-ring-color; outline-offset: -1px; }`;

const STAND_INS = { report: "standIn", wizard: "wizardStandIn", planner: "plannerStandIn" } as const;
export type PageName = keyof typeof STAND_INS;

/** The built page in the host's own document with its own policy, and the stand-in for the editor before it. */
export async function servePage(name: PageName): Promise<{ readonly origin: string; readonly close: () => Promise<void> }> {
  const bundle = async (entry: string): Promise<Map<string, string>> => {
    const { outputFiles } = await build({
      absWorkingDir: root, entryPoints: [entry], bundle: true, write: false, outdir: "out", platform: "browser", target: "es2022", format: "iife",
      jsx: "automatic", jsxImportSource: "preact", logLevel: "warning", minify: true,
    });
    return new Map(outputFiles.map(({ path, text }) => [path.endsWith(".css") ? "css" : "js", text]));
  };
  const [page, standIn] = await Promise.all([bundle(`webview/${name}/main.tsx`), bundle(`test/webview/pages/${STAND_INS[name]}.ts`)]);
  const files = new Map([
    ["/page.js", { type: "text/javascript", text: page.get("js") ?? "" }],
    ["/page.css", { type: "text/css", text: page.get("css") ?? "" }],
    ["/stand-in.js", { type: "text/javascript", text: standIn.get("js") ?? "" }],
    ["/editor.css", { type: "text/css", text: EDITOR_STYLES }],
  ]);
  const server: Server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://page");
    const file = pathname === "/" ? { type: "text/html", text: document(`http://${request.headers.host ?? ""}`) } : files.get(pathname);
    // Browsers ask for an icon; editors do not.
    if (pathname === "/favicon.ico") return void response.writeHead(204).end();
    response.writeHead(file === undefined ? 404 : 200, { "content-type": `${file?.type ?? "text/plain"}; charset=utf-8` });
    response.end(file?.text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** What the editor adds to the host's document: its style sheet first, its objects before the page's script. */
function document(origin: string): string {
  const nonce = "page-nonce";
  return reportHtml({ cspSource: origin, nonce, script: `${origin}/page.js`, style: `${origin}/page.css`, language: "en" })
    .replace("<link", `<link rel="stylesheet" href="${origin}/editor.css">\n<link`)
    .replace('<div id="root">', `<script nonce="${nonce}" src="${origin}/stand-in.js"></script>\n<div id="root">`);
}
