import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FileBytes } from "../../../src/models/fileBytes";
import { varintAt } from "../../../src/models/onnx/varint";
import { WireReader, type Field } from "../../../src/models/onnx/wire";
import { bytes, file, float, int, tag, text, varint } from "./onnxFile";

async function fieldsOf(content: Buffer): Promise<Field[]> {
  const opened = await FileBytes.open(file(content));
  try {
    const fields: Field[] = [];
    await new WireReader(opened).message({ start: 0, end: content.length }, 0, (field) => { fields.push(field); });
    return fields;
  } finally {
    await opened.close();
  }
}

const fails = (content: Buffer) => expect(fieldsOf(content)).rejects;

describe("the protobuf reader", () => {
  it("decodes every 64-bit varint", () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
      const encoded = varint(value);
      expect(varintAt(encoded, 0, encoded.length)).toEqual({
        low: Number(value & 0xffffffffn), high: Number(value >> 32n), end: encoded.length,
      });
    }), { seed: 1 });
  });

  it("reads fields of every wire type in their order", async () => {
    const content = Buffer.concat([int(1, 300), float(2, 1.5), text(3, "name"), Buffer.concat([tag(4, 1), Buffer.alloc(8)]), int(536870911, 1)]);
    const fields = await fieldsOf(content);
    expect(fields.map(({ number, wire }) => [number, wire])).toEqual([[1, 0], [2, 5], [3, 2], [4, 1], [536870911, 0]]);
    expect(fields[0]).toMatchObject({ low: 300, high: 0 });
    expect(content.subarray(fields[2]!.start, fields[2]!.end).toString()).toBe("name");
  });

  it("steps over payloads larger than its window", async () => {
    const content = Buffer.concat([bytes(9, Buffer.alloc(200_000)), int(1, 5), bytes(9, Buffer.alloc(65_530)), int(1, 2n ** 63n - 1n)]);
    const fields = await fieldsOf(content);
    expect(fields.map(({ number, end, start }) => [number, end - start])).toEqual([[9, 200_000], [1, 1], [9, 65_530], [1, 9]]);
  });

  it("skips groups with everything in them", async () => {
    const content = Buffer.concat([tag(7, 3), int(1, 1), tag(8, 3), text(2, "x"), tag(8, 4), tag(7, 4), int(5, 9)]);
    expect((await fieldsOf(content)).map(({ number }) => number)).toEqual([5]);
  });

  it.each([
    ["a varint of eleven bytes", Buffer.concat([tag(1, 0), Buffer.alloc(10, 0xff), Buffer.from([1])]), "malformed"],
    ["a varint that is cut off", Buffer.from([0x08, 0xff]), "truncated"],
    ["a length beyond the file", Buffer.concat([tag(9, 2), varint(1000), Buffer.alloc(4)]), "truncated"],
    ["a length of 2⁶⁴ − 1", Buffer.concat([tag(9, 2), varint(2n ** 64n - 1n)]), "truncated"],
    ["a cut-off fixed value", Buffer.concat([tag(2, 5), Buffer.alloc(3)]), "truncated"],
    ["field number 0", Buffer.from([0x00, 0x01]), "malformed"],
    ["a field number beyond 2²⁹", Buffer.concat([varint(2n ** 40n), varint(1)]), "malformed"],
    ["wire type 6", Buffer.from([0x0e, 0x01]), "malformed"],
    ["a group that does not end", Buffer.concat([tag(7, 3), int(1, 1)]), "truncated"],
    ["a group that ends as another", Buffer.concat([tag(7, 3), tag(8, 4)]), "malformed"],
    ["the end of a group that was not begun", Buffer.concat([tag(7, 4), int(1, 1)]), "malformed"],
    ["groups nested 1,000 deep", Buffer.concat([Buffer.concat(Array.from({ length: 1000 }, () => tag(7, 3))), int(1, 1)]), "malformed"],
  ])("refuses %s", async (_what, content, code) => {
    await fails(content).toMatchObject({ name: "Fault", code });
  });
});
