import { beforeEach, describe, expect, it } from "vitest";
import { Cancelled, Fault } from "../../../src/shared/fault";
import type { HostToPage } from "../../../src/shared/page";
import { PageConnection } from "../../../src/vscode/pageConnection";
import { pageHandlers } from "../../../src/vscode/pageHandlers";
import { reportHtml } from "../../../src/vscode/reportHtml";
import { FakeEngine, settled } from "./support/fakeEngine";

describe("what a page asks", () => {
  let engine: FakeEngine;
  let page: PageConnection<HostToPage>;
  let posted: HostToPage[];
  let calls: unknown[];
  let defects: unknown[];

  beforeEach(() => {
    engine = new FakeEngine();
    posted = [];
    calls = [];
    defects = [];
    const handlers = pageHandlers("/w/net.onnx", {
      engine,
      analyses: { start: (path) => calls.push(["start", path]), cancel: (path) => calls.push(["cancel", path]) },
      save: async (suggested, kind, content) => (calls.push(["save", suggested, kind, new TextDecoder().decode(content)]), suggested),
      copy: async (text) => void calls.push(["copy", text]),
      factorize: async (path, only) => void calls.push(["factorize", path, only]),
      showLog: () => calls.push(["log"]),
    });
    page = new PageConnection<HostToPage>(handlers, (message) => posted.push(message), (error) => defects.push(error));
  });

  it("is asked of the engine about the editor's model", async () => {
    void page.receive({ id: 1, method: "spectrum", params: { id: 4 } });
    expect(engine.nth()).toMatchObject({ method: "spectrum", params: { path: "/w/net.onnx", id: 4 } });
    engine.nth().resolve({ singularValues: [2, 1] } as never);
    await settled();
    expect(posted).toEqual([{ type: "answer", id: 1, result: { singularValues: [2, 1] } }]);
  });
  it("cannot be about another model", async () => {
    void page.receive({ id: 1, method: "rows", params: { start: 0, end: 9, path: "/etc/passwd" } });
    expect(engine.nth().params).toMatchObject({ path: "/w/net.onnx" });
  });
  it("opens the wizard for the model, or for one of its layers", async () => {
    await page.receive({ id: 1, method: "factorize", params: { only: ["fc.weight"] } });
    expect(calls).toEqual([["factorize", "/w/net.onnx", ["fc.weight"]]]);
  });
  it("starts and cancels the window's analysis, and is answered at once", async () => {
    await page.receive({ id: 1, method: "analyze", params: null });
    await page.receive({ id: 2, method: "cancel", params: null });
    expect(calls).toEqual([["start", "/w/net.onnx"], ["cancel", "/w/net.onnx"]]);
    expect(posted.map(({ type }) => type)).toEqual(["answer", "answer"]);
  });
  it("saves a report beside the model", async () => {
    void page.receive({ id: 1, method: "export", params: { format: "csv" } });
    engine.nth().resolve({ text: "a,b" } as never);
    await settled();
    expect(calls).toEqual([["save", "/w/net.ranks.csv", "csv", "a,b"]]);
    await page.receive({ id: 2, method: "exportPng", params: { base64: Buffer.from("picture").toString("base64") } });
    expect(calls[1]).toEqual(["save", "/w/net.ranks.png", "png", "picture"]);
  });
  it("always gets an answer: a fault as it is, a stopped engine, a defect", async () => {
    const errors = [new Fault("truncated", "Ends early.", "Download it again."), new Cancelled(), new TypeError("defect")];
    for (const [id, error] of errors.entries()) {
      void page.receive({ id, method: "open", params: null });
      engine.nth().reject(error);
      await settled();
    }
    expect(posted.map((message) => (message.type === "fault" ? message.fault.code : message.type))).toEqual(["truncated", "engine-gone", "crashed"]);
    expect(defects).toHaveLength(1);
  });
  it.each([null, "open", {}, { id: "1", method: "open" }, { id: 1, method: "constructor" }, { id: 1, method: "toString" }, { id: 1, method: "badge" }])("is ignored when it is no request: %j", async (message) => {
    await page.receive(message);
    expect(posted).toEqual([]);
    expect(engine.asked).toEqual([]);
  });
  it("ends with its editor, and nothing is sent there any more", async () => {
    void page.receive({ id: 1, method: "map", params: null });
    page.dispose();
    expect(engine.nth().signal?.aborted).toBe(true);
    page.send({ type: "changed" });
    await settled();
    expect(posted).toEqual([]);
  });
});

describe("the page's document", () => {
  const html = reportHtml({ cspSource: "https://cdn.test", nonce: "bm9uY2U=", script: "https://cdn.test/report.js?a=1&b=2", style: "https://cdn.test/report.css", language: "en" });
  const policy = /Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? "";
  const directives = new Map(policy.split("; ").map((each) => [each.split(" ")[0], each]));

  it("allows nothing but its own files, and its script only by the nonce", () => {
    expect(directives.get("default-src")).toBe("default-src 'none'");
    expect(directives.get("script-src")).toBe("script-src 'nonce-bm9uY2U='");
    expect(policy).not.toMatch(/unsafe|\*|https?:(?!\/\/cdn\.test)/);
  });
  it("holds one script, no inline script and no inline style", () => {
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).toMatch(/<script nonce="bm9uY2U=" src="[^"]+"><\/script>/);
    expect(html).not.toMatch(/<style|style=|\son\w+=/);
  });
  it("escapes what it is given", () => expect(html).toContain("report.js?a=1&amp;b=2"));
});
