import type * as Files from "node:fs/promises";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { AtomicFiles } from "../../../src/factorize/atomic";
import { ready, writeAll } from "../../../src/factorize/source";
import { openSource } from "../../../src/factorize/sources";
import { openModel } from "../../../src/models/formats";
import { DEFAULT_OPEN_OPTIONS } from "../../../src/models/model";
import { noise, writeModel } from "../../engine/support/modelFiles";
import { folder } from "../support/folders";

/** A disk with room for so many more bytes; the system's own error beyond. */
const disk = vi.hoisted(() => ({ room: Infinity }));
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof Files>();
  const open: typeof real.open = async (path, flags, mode) => {
    const handle = await real.open(path, flags, mode);
    if (flags !== "wx") return handle;
    const write = handle.write.bind(handle) as (bytes: Uint8Array, at: number) => Promise<{ bytesWritten: number; buffer: Uint8Array }>;
    Object.assign(handle, {
      write: async (bytes: Uint8Array, at: number) => {
        if (bytes.length - at > disk.room) throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
        disk.room -= bytes.length - at;
        return write(bytes, at);
      },
    });
    return handle;
  };
  return { ...real, open };
});

describe("a disk that is full", () => {
  let at: string;
  beforeEach(() => { at = folder(); });

  it("is told in a sentence, whichever of the files it is in, and leaves nothing behind", async () => {
    writeModel(at, "model-00001-of-00002.safetensors", { "a.weight": noise(2, 40, 30), "a.bias": noise(3, 40) });
    writeModel(at, "model-00002-of-00002.safetensors", { "b.weight": noise(4, 30, 40) });
    const index = join(at, "model.safetensors.index.json");
    writeFileSync(index, JSON.stringify({ metadata: {}, weight_map: { "a.weight": "model-00001-of-00002.safetensors", "a.bias": "model-00001-of-00002.safetensors", "b.weight": "model-00002-of-00002.safetensors" } }));
    const before = readdirSync(at).sort();
    const model = await openModel(index);
    const messages = new Set<string>();
    for (const room of [0, 100, 600, 5000, 7000, 10_000]) {
      disk.room = room;
      const source = await openSource(model, DEFAULT_OPEN_OPTIONS, "factored");
      const files = new AtomicFiles();
      const failed: unknown = await writeAll(source, ready(new Map()), join(at, "small.safetensors.index.json"), files).catch((error: unknown) => error);
      await files.discard();
      disk.room = Infinity;
      expect(failed).toMatchObject({ code: "not-written", message: expect.stringMatching(/^There is no space left for \S+\.$/) as string, next: expect.stringContaining("nothing was left behind") as string });
      messages.add((failed as Error).message);
      expect(readdirSync(at).sort()).toEqual(before);
    }
    expect([...messages]).toEqual(expect.arrayContaining(["There is no space left for small.safetensors.index.json.", "There is no space left for small-00001-of-00002.safetensors.", "There is no space left for small-00002-of-00002.safetensors."]));
  });
});
