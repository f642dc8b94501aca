import { mkdirSync, symlinkSync, writeFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folder } from "../support/folders";
import { layer, reason } from "../support/opened";
import { ramp } from "../support/ramp";
import { bytes, file, floats, graph, int, model, node, text } from "./onnxFile";
import { withModel } from "./opened";

/** A model whose one weight, 4 × 4 of float32, is kept in another file. */
function modelWith(entries: Readonly<Record<string, string>>, path = join(folder(), "model.onnx")): string {
  const external = Object.entries(entries).map(([key, value]) => bytes(13, text(1, key), text(2, value)));
  const weight = Buffer.concat([int(1, 4), int(1, 4), int(2, 1), text(8, "W"), ...external, int(14, 1)]);
  writeFileSync(path, model(graph({ nodes: [node("MatMul", ["x", "W"], ["y"])], initializers: [weight] })));
  return path;
}

const VALUES = floats(ramp(16));

describe("external data", () => {
  it("is read from beside the model, at its offset", async () => {
    const path = modelWith({ location: "data/weights.bin", offset: "4", length: "64" });
    mkdirSync(join(path, "../data"));
    writeFileSync(join(path, "../data/weights.bin"), Buffer.concat([Buffer.alloc(4), VALUES]));
    await withModel(path, async (opened) => {
      expect([...await opened.read(layer(opened, "W").tensor)]).toEqual(ramp(16));
      expect(opened.files.length).toBe(2);
      expect(opened.summary.bytes).toBeGreaterThan(68);
      expect(opened.summary.notes).toContain("external data in 1 file");
    });
  });

  it.each([
    ["a path that goes up", "../weights.bin"],
    ["a path that goes up further in", "data/../../weights.bin"],
    ["a path that goes up with backslashes", "..\\weights.bin"],
    ["an absolute path", "/etc/hostname"],
    ["a path on another drive", "C:\\weights.bin"],
  ])("is refused at %s", async (_what, location) => {
    await expect(withModel(modelWith({ location }), () => null)).rejects.toMatchObject({ name: "Fault", code: "external-data-refused" });
  });

  it("is refused behind a symbolic link that leaves the folder, and read behind one that does not", async () => {
    const outside = file(VALUES, "weights.bin");
    const path = modelWith({ location: "weights.bin" });
    symlinkSync(outside, join(path, "../weights.bin"));
    await expect(withModel(path, () => null)).rejects.toMatchObject({ code: "external-data-refused" });
    rmSync(join(path, "../weights.bin"));
    writeFileSync(join(path, "../real.bin"), VALUES);
    symlinkSync("real.bin", join(path, "../weights.bin"));
    await withModel(path, async (opened) => { expect([...await opened.read(layer(opened, "W").tensor)]).toEqual(ramp(16)); });
  });

  it("is refused behind a link of a folder", async () => {
    const outside = folder();
    writeFileSync(join(outside, "weights.bin"), VALUES);
    const path = modelWith({ location: "data/weights.bin" });
    symlinkSync(outside, join(path, "../data"));
    await expect(withModel(path, () => null)).rejects.toMatchObject({ code: "external-data-refused" });
  });

  it("is read from outside the folder when the person allows it", async () => {
    const outside = file(VALUES, "weights.bin");
    await withModel(modelWith({ location: outside }), async (opened) => {
      expect([...await opened.read(layer(opened, "W").tensor)]).toEqual(ramp(16));
    }, { allowExternalDataOutside: true });
  });

  it("that is missing leaves the tensor listed and the model open", async () => {
    await withModel(modelWith({ location: "weights.bin" }), (opened) => {
      expect(reason(opened, "W")).toBe("external data file weights.bin is missing");
      expect(opened.summary.notes).toContain("external data file weights.bin is missing");
    });
  });

  it.each([
    [{ offset: "8" }, "would end at byte 72 of weights.bin, which has 64"],
    [{ length: "60" }, "has 60 bytes in weights.bin"],
    [{ offset: "-4" }, "is no place"],
    [{ offset: "99999999999999999999" }, "is no place"],
    [{ offset: "0x10" }, "is no place"],
  ])("at a place that the file does not have, %j, is told", async (place, why) => {
    const path = modelWith({ location: "weights.bin", ...place });
    writeFileSync(join(path, "../weights.bin"), VALUES);
    await withModel(path, (opened) => { expect(reason(opened, "W")).toContain(why); });
  });

  it.each([["", "names no file"], ["\0", "names no file"], ["data", "is not a regular file"], ["model.onnx/x", "is missing"], ["x".repeat(3000), "has too long a name"]])(
    "at the location %j is told to be none", async (location, why) => {
      const path = modelWith({ location });
      mkdirSync(join(path, "../data"));
      await withModel(path, (opened) => { expect(reason(opened, "W")).toContain(why); });
    });

  it("that changes or goes after opening is not read", async () => {
    const path = modelWith({ location: "weights.bin" });
    const data = join(path, "../weights.bin");
    writeFileSync(data, VALUES);
    await withModel(path, async (opened) => {
      writeFileSync(data, Buffer.concat([VALUES, VALUES]));
      await expect(opened.read(layer(opened, "W").tensor)).rejects.toMatchObject({ code: "changed-while-read" });
      rmSync(data);
      await expect(opened.read(layer(opened, "W").tensor)).rejects.toMatchObject({ code: "external-data-missing" });
    });
  });
});
