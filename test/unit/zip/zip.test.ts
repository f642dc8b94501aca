import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { FileBytes } from "../../../src/models/fileBytes";
import { ZipArchive } from "../../../src/models/zip";
import { written } from "../support/folders";
import { zipFile, type Packed } from "../support/zipFile";

async function withZip<T>(bytes: Uint8Array, body: (zip: ZipArchive) => Promise<T> | T): Promise<T> {
  const file = await FileBytes.open(written(bytes, "a.zip"));
  try {
    return await body(await ZipArchive.open(file));
  } finally {
    await file.close();
  }
}

const content = randomBytes(900_000);

describe("an archive", () => {
  it.each<[string, Partial<Packed>, boolean]>([
    ["stored", {}, false], ["deflated", { isDeflated: true }, false], ["zip64", { isZip64: true }, true], ["zip64 and deflated", { isZip64: true, isDeflated: true }, true],
  ])("gives any range of an entry that is %s", async (_what, how, isZip64) => {
    await withZip(zipFile([{ name: "first", content: Buffer.alloc(7) }, { name: "folder/one", content, ...how }], { isZip64, comment: "PK, and more" }), async (zip) => {
      expect([...zip.entries.keys()]).toEqual(["first", "folder/one"]);
      for (const [start, length] of [[0, 900_000], [0, 1], [899_999, 1], [262_143, 2], [123_456, 300_000], [5, 0]] as const) {
        expect(Buffer.from(await zip.read("folder/one", start, length)).equals(content.subarray(start, start + length))).toBe(true);
      }
      await expect(zip.read("folder/one", 899_999, 2)).rejects.toMatchObject({ code: "truncated" });
      await expect(zip.read("other", 0, 1)).rejects.toMatchObject({ code: "malformed" });
    });
  });

  it.each<[string, NonNullable<Packed["claims"]>, RegExp]>([
    ["is encrypted", { flags: 1 }, /is encrypted|size mismatch/], ["is packed by another method", { method: 12 }, /packed by method 12/],
    ["lies beyond the file", { offset: 2 ** 31 }, /would end at byte/],
  ])("says why an entry that %s cannot be read", async (_what, claims, why) => {
    const outcome = await withZip(zipFile([{ name: "one", content: Buffer.alloc(30), claims }]), (zip) => zip.entries.get("one")!.problem).catch((error: Error) => error.message);
    expect(outcome).toMatch(why);
  });

  it("lists 100,000 entries", async () => {
    await withZip(zipFile(Array.from({ length: 100_000 }, (_, index) => ({ name: `data/${index}`, content: Buffer.alloc(1) })), { isZip64: true }), (zip) => {
      expect(zip.entries.size).toBe(100_000);
    });
  }, 60_000);

  it.each<[string, Buffer, string]>([
    ["names an entry twice", zipFile([{ name: "a", content: Buffer.alloc(1) }, { name: "a", content: Buffer.alloc(1) }]), "malformed"],
    ["has a name that leaves its folder", zipFile([{ name: "../a", content: Buffer.alloc(1) }]), "malformed"],
    ["is cut off", zipFile([{ name: "a", content: Buffer.alloc(100) }]).subarray(0, 120), "truncated"],
    ["has a deflated entry that is damaged", zipFile([{ name: "a", content: Buffer.from([0xff, 0xff, 0xff]), claims: { method: 8, size: 50 } }]), "malformed"],
  ])("that %s gets a fault", async (_what, bytes, code) => {
    await expect(withZip(bytes, (zip) => zip.read("a", 0, 1))).rejects.toMatchObject({ name: "Fault", code });
  });

  it("stops to unpack where the range ends", async () => {
    // What lies behind the range is damaged, and is never looked at.
    const bytes = zipFile([{ name: "a", content, isDeflated: true }]);
    bytes.fill(0xff, 800_000, 890_000);
    await withZip(bytes, async (zip) => {
      expect(Buffer.from(await zip.read("a", 0, 1000)).equals(content.subarray(0, 1000))).toBe(true);
    });
  });
});
