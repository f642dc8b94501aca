import { beforeEach, describe, expect, it } from "vitest";
import { Cancelled, Fault } from "../../../src/shared/fault";
import type { ModelBadge } from "../../../src/shared/protocol";
import { Badges } from "../../../src/vscode/badges";
import { settled } from "./support/fakeEngine";

describe("what the list knows of models", () => {
  let asked: { path: string; resolve: (badge: ModelBadge) => void; reject: (error: unknown) => void }[];
  let known: string[];
  let defects: unknown[];
  let badges: Badges;
  const badge = (parameters: number): ModelBadge => ({ format: "onnx", parameters, meanUtilization: null });

  beforeEach(() => {
    asked = [];
    known = [];
    defects = [];
    badges = new Badges((path) => new Promise((resolve, reject) => asked.push({ path, resolve, reject })), (error) => defects.push(error));
    badges.onKnown((path) => known.push(path));
  });

  it("is asked for when a model is drawn, two at a time, each once", async () => {
    for (const path of ["/a", "/b", "/c", "/a", "/c"]) expect(badges.get(path)).toEqual({ state: "unknown" });
    expect(asked.map(({ path }) => path)).toEqual(["/a", "/b"]);
    asked[0]?.resolve(badge(1));
    await settled();
    expect(asked.map(({ path }) => path)).toEqual(["/a", "/b", "/c"]);
    expect(known).toEqual(["/a"]);
    expect(badges.get("/a")).toEqual({ state: "known", badge: badge(1) });
    expect(asked).toHaveLength(3);
  });

  it("is asked for again after a change, and an answer of before does not count", async () => {
    badges.get("/a");
    badges.forget("/a");
    badges.get("/a");
    asked[0]?.resolve(badge(1));
    await settled();
    expect(badges.get("/a")).toEqual({ state: "unknown" });
    asked[1]?.resolve(badge(2));
    await settled();
    expect(badges.get("/a")).toEqual({ state: "known", badge: badge(2) });
    badges.forget();
    expect(badges.get("/a")).toEqual({ state: "unknown" });
  });

  it("may be why a file cannot be read; a stopped engine is asked again, a defect is logged", async () => {
    badges.get("/a");
    badges.get("/b");
    asked[0]?.reject(new Fault("truncated", "Ends early."));
    asked[1]?.reject(new Cancelled());
    await settled();
    expect(badges.get("/a")).toMatchObject({ state: "fault", fault: { code: "truncated" } });
    badges.get("/b");
    asked[2]?.reject(new TypeError("defect"));
    await settled();
    expect(defects).toHaveLength(1);
    expect(known).toEqual(["/a"]);
  });
});
