import { beforeEach, describe, expect, it } from "vitest";
import type { EngineOptions } from "../../../src/engine/client";
import { Cancelled } from "../../../src/shared/fault";
import { EngineHost } from "../../../src/vscode/engineHost";
import { FakeEngine, settled } from "./support/fakeEngine";

describe("the engine of a window", () => {
  let threads: number;
  let engines: FakeEngine[];
  let host: EngineHost;

  beforeEach(() => {
    threads = 2;
    engines = [];
    const options = (): EngineOptions => ({ engineScript: "/e.js", cacheFolder: null, threads, cacheMegabytes: 1, memoryMegabytes: 0, allowExternalDataOutside: false, smallestTensor: 1 });
    host = new EngineHost((given) => (engines.push(new FakeEngine(given)), engines.at(-1)!), options);
  });

  it("starts with the first request", () => {
    expect(engines).toHaveLength(0);
    void host.request("badge", { path: "/a" });
    expect(engines.map(({ options }) => options.threads)).toEqual([2]);
  });

  it("passes on what every engine tells", async () => {
    const told: string[] = [];
    host.onProgress(({ path }) => told.push(path));
    void host.request("badge", { path: "/a" }).catch(() => undefined);
    engines[0]?.tell({ path: "/a", state: "running" });
    threads = 1;
    host.settingsChanged();
    await settled();
    engines[1]?.tell({ path: "/b", state: "running" });
    expect(told).toEqual(["/a", "/b"]);
  });

  it("is exchanged when settings change, and questions in flight go to its successor", async () => {
    let renewed = 0;
    host.onRenewed(() => renewed++);
    const answer = host.request("badge", { path: "/a" });
    threads = 1;
    expect(host.settingsChanged()).toBe("now");
    await settled();
    expect(engines.map(({ disposed, options }) => [disposed, options.threads])).toEqual([[true, 2], [false, 1]]);
    engines[1]?.nth().resolve("answered" as never);
    expect(await answer).toBe("answered");
    expect(renewed).toBe(1);
  });

  it("stays when settings did not change for it, or when it was never used", () => {
    threads = 1;
    expect(host.settingsChanged()).toBe("unchanged");
    void host.request("badge", { path: "/a" });
    expect(host.settingsChanged()).toBe("unchanged");
    expect(engines).toHaveLength(1);
  });

  it("is not exchanged while it analyzes, but right after", async () => {
    const analysis = host.request("analyze", { path: "/a" });
    threads = 1;
    expect(host.settingsChanged()).toBe("later");
    expect(engines[0]?.disposed).toBe(false);
    engines[0]?.nth().resolve({} as never);
    await analysis;
    expect(engines[0]?.disposed).toBe(true);
  });

  it("ends what is asked when the window closes", async () => {
    const answer = host.request("badge", { path: "/a" });
    await host.dispose();
    await expect(answer).rejects.toBeInstanceOf(Cancelled);
    await expect(host.request("badge", { path: "/a" })).rejects.toBeInstanceOf(Cancelled);
    expect(engines).toHaveLength(1);
  });
});
