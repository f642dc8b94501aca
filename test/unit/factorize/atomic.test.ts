import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AtomicFiles } from "../../../src/factorize/atomic";
import { Cancelled, Fault } from "../../../src/shared/fault";
import { folder } from "../support/folders";

const text = (content: string) => (write: (bytes: Uint8Array) => Promise<void>) => write(Buffer.from(content));

describe("files that are written together", () => {
  it("appear together, and replace older ones", async () => {
    const at = folder();
    writeFileSync(join(at, "a"), "old");
    const files = new AtomicFiles();
    await files.write(join(at, "a"), text("new"));
    await files.write(join(at, "b"), text("beside"));
    expect(readFileSync(join(at, "a"), "utf8")).toBe("old");
    expect(await files.commit()).toEqual([join(at, "a"), join(at, "b")]);
    await files.discard();
    expect(readdirSync(at).sort()).toEqual(["a", "b"]);
    expect(readFileSync(join(at, "a"), "utf8")).toBe("new");
  });

  it("leave nothing behind when they are cancelled in mid-write, or when writing fails", async () => {
    const at = folder();
    const stop = new AbortController();
    const cancelled = new AtomicFiles(stop.signal);
    await expect(cancelled.write(join(at, "a"), async (write) => {
      await write(Buffer.from("first half"));
      stop.abort();
      await write(Buffer.from("second half"));
    })).rejects.toThrow(Cancelled);
    await cancelled.discard();
    const failed = new AtomicFiles();
    await failed.write(join(at, "a"), text("whole"));
    await expect(failed.write(join(at, "b"), () => Promise.reject(new Error("no more")))).rejects.toThrow("no more");
    await failed.discard();
    expect(readdirSync(at)).toEqual([]);
  });

  it("say that their folder is gone", async () => {
    const at = join(folder(), "gone");
    mkdirSync(at);
    const files = new AtomicFiles();
    await files.write(join(at, "a"), text("whole"));
    rmSync(at, { recursive: true });
    await expect(files.commit()).rejects.toThrow(/folder of a is gone/);
    await files.discard();
    await expect(new AtomicFiles().write(join(at, "b"), text("whole"))).rejects.toThrow(Fault);
  });
});
