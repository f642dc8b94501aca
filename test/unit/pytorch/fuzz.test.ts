import { describe, expect, it } from "vitest";
import { pytorch } from "../../../src/models/pytorch/format";
import { openMutated } from "../support/mutations";
import { archive, call, dict, float, floats, global, int, join, legacy, list, no, none, object, pickle, PERSISTENT, raw, tensor, text, tuple, type Code } from "./pickleFile";

/** Opcodes of pickle, signatures of zip, and small numbers. */
const TELLING = [..."().01NKMJXcbRQ}]utsae2hq\x80\x81\x85\x86\x8a\x93\x94\x95P", "\x00", "\x01", "\xff"].map((character) => character.charCodeAt(0));

/** A checkpoint with everything that the reader knows. */
function everything(): Code {
  const quantized = call(global("torch._utils", "_rebuild_qtensor"),
    join(tuple(text("storage"), global("torch", "QInt8Storage"), text("1"), text("cpu"), int(16)), PERSISTENT), int(0), tuple(int(4), int(4)), tuple(int(4), int(1)),
    tuple(global("torch", "per_channel_affine"), tensor({ shape: [4], key: "0" }), tensor({ shape: [4], key: "0" }), int(0)), no, none);
  return dict(
    ["state_dict", dict(
      ["a.weight", tensor({ shape: [4, 4] })], ["b.weight", tensor({ shape: [2, 4], strides: [1, 2], offset: 3, elements: 16 })], ["c.weight", quantized],
      ["d.weight", call(global("torch._utils", "_rebuild_parameter"), tensor({ shape: [4, 4] }), no, none)],
    )],
    ["optimizer", object("torch.optim.sgd", "SGD", dict(["state", list(tensor({ shape: [4, 4] }), float(0.5))]))],
    ["hyper", object("argparse", "Namespace", dict(["names", raw("\x8f(K\x01\x90")], ["big", raw("\x8a\x0a\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a")]))],
  );
}

const storages = { "0": floats(16), "1": Buffer.alloc(16, 3) };
const all = (content: Buffer): number[] => [...content.keys()];

describe("a mutated file", () => {
  it.each([
    ["an archive", "model.pt", archive(pickle(everything(), 4), storages)],
    ["a deflated archive", "model.ckpt", archive(pickle(everything(), 4), storages, [], true)],
    ["a legacy file", "model.pth", legacy(dict(["a.weight", tensor({ shape: [4, 4] })], ["rest", everything()]), storages, { "1": 1 })],
  ])("%s opens or gets a fault, and its weights can be read or get a fault", async (_what, name, content) => {
    const codes = await openMutated(pytorch, name, content, all(content), TELLING);
    expect(codes.get("opened")).toBeGreaterThan(0);
    expect(codes.get("malformed")).toBeGreaterThan(0);
    expect(codes.get("truncated")).toBeGreaterThan(0);
    expect(codes.get("unsupported")).toBeGreaterThan(0);
  }, 600_000);

  it("a pickle alone opens or gets a fault", async () => {
    const content = pickle(everything(), 4);
    const codes = await openMutated(pytorch, "model.bin", content, all(content), TELLING);
    expect(codes.get("malformed")).toBeGreaterThan(0);
    expect(codes.get("truncated")).toBeGreaterThan(0);
  }, 600_000);
});
