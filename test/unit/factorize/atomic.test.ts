import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
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

  it("take away what a process that was killed has left of them, and of no other file or process", async () => {
    const at = folder();
    const { pid: gone } = spawnSync(process.execPath, ["-e", ""]);
    for (const name of [`.a.0.${gone}.partial`, `.b.0.${gone}.partial`, `.a.0.${process.ppid}.partial`, ".a.0.partial"]) writeFileSync(join(at, name), "half");
    const files = new AtomicFiles();
    await files.write(join(at, "a"), text("whole"));
    await files.commit();
    expect(readdirSync(at).sort()).toEqual([`.a.0.${process.ppid}.partial`, ".a.0.partial", `.b.0.${gone}.partial`, "a"].sort());
  });

  it("do not take the place of a folder, nor of a link or of a folder that came there meanwhile", async () => {
    const at = folder();
    writeFileSync(join(at, "old"), "stays");
    mkdirSync(join(at, "main", "taken"), { recursive: true });
    symlinkSync("old", join(at, "link"));
    for (const [main, words] of [["main", /main is a folder/], ["link", /link is a link/]] as const) {
      const files = new AtomicFiles();
      await files.write(join(at, main), text("something is in its place"));
      await files.write(join(at, "part"), text("new"));
      await expect(files.commit(join(at, main))).rejects.toThrow(words);
      await files.discard();
    }
    const files = new AtomicFiles();
    files.makeFolder(join(at, "new"));
    await files.write(join(at, "new", "main"), text("new"));
    mkdirSync(join(at, "new"));
    await expect(files.commit(join(at, "new", "main"))).rejects.toThrow(/new is there by now/);
    await files.discard();
    expect(readdirSync(at).sort()).toEqual(["link", "main", "new", "old"]);
    expect(readFileSync(join(at, "old"), "utf8")).toBe("stays");
  });

  it("lose their names again when one cannot have its own, and older ones are back", async () => {
    const at = folder();
    for (const name of ["main", "second"]) writeFileSync(join(at, name), "old");
    const files = new AtomicFiles();
    files.makeFolder(join(at, "new", "inner"));
    files.makeFolder(join(at, "new"));
    await files.write(join(at, "main"), text("new"));
    await files.write(join(at, "new", "inner", "part"), text("of a folder that is made"));
    await files.write(join(at, "first"), text("new"));
    rmSync(await files.write(join(at, "second"), text("new")));
    expect(readdirSync(at).filter((name) => !name.startsWith(".")).sort()).toEqual(["main", "second"]);
    await expect(files.commit(join(at, "main"))).rejects.toThrow(/folder of second is gone/);
    await files.discard();
    expect(readdirSync(at).sort()).toEqual(["main", "second"]);
    for (const name of ["main", "second"]) expect(readFileSync(join(at, name), "utf8")).toBe("old");
  });

  it("of a folder that is yet to be made are there with it, the main one first in the list", async () => {
    const at = folder();
    const files = new AtomicFiles();
    files.makeFolder(join(at, "new"));
    await files.write(join(at, "new", "part"), text("part"));
    await files.write(join(at, "new", "main"), text("main"));
    expect(await files.commit(join(at, "new", "main"))).toEqual([join(at, "new", "main"), join(at, "new", "part")]);
    expect(readdirSync(at)).toEqual(["new"]);
    expect(readdirSync(join(at, "new")).sort()).toEqual(["main", "part"]);
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
