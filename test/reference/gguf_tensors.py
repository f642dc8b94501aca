"""What a GGUF file holds, read and dequantized from the format's description alone, as JSON on stdout.

Usage: gguf_tensors.py FILE. For each tensor: name, shape (outermost axis first), type number, and the SHA-256 of its values
as float32 (float64 for float64) in row-major order; null for types that this script does not dequantize.

Written from docs/gguf.md of ggml and from the comments on each block of ggml-common.h, value by value and slowly: it shares
nothing with a reader that unpacks whole blocks.
"""
import hashlib
import json
import struct
import sys

import numpy

NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
TEXT, LIST = 8, 9
PLAIN = {0: "<f4", 1: "<f2", 28: "<f8"}
BFLOAT16 = 30
ALIGNMENT = 32


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self, kind):
        (value,) = struct.unpack_from("<" + kind, self.data, self.at)
        self.at += struct.calcsize("<" + kind)
        return value

    def text(self):
        length = self.number("Q")
        self.at += length
        return self.data[self.at - length:self.at].decode()

    def value(self, kind):
        if kind == TEXT:
            return self.text()
        if kind == LIST:
            inner, count = self.number("I"), self.number("Q")
            return [self.value(inner) for _ in range(count)]
        return self.number(NUMBERS[kind])


def float16(data, at):
    return numpy.float64(numpy.frombuffer(data, "<f2", 1, at)[0])


def bits(data, first_bit, count):
    """`count` bits from bit `first_bit` on, the lowest of a byte first."""
    return sum(((data[(first_bit + i) // 8] >> ((first_bit + i) % 8)) & 1) << i for i in range(count))


def low_then_high(data, index, half):
    """Of bytes of two values each: the first `half` values are in the low 4 bits."""
    return bits(data, 8 * (index % half) + 4 * (index // half), 4)


def q4_0(block):
    return [(low_then_high(block[2:], i, 16) - 8) * float16(block, 0) for i in range(32)]


def q8_0(block):
    return [struct.unpack_from("b", block, 2 + i)[0] * float16(block, 0) for i in range(32)]


def q4_k(block):
    """value = d * scale * q - dmin * minimum, in eight runs of 32; scales and minima of 6 bits, the last four split."""
    d, dmin, scales, quants = float16(block, 0), float16(block, 2), block[4:16], block[16:]
    values = []
    for run in range(8):
        if run < 4:
            scale, minimum = bits(scales, 8 * run, 6), bits(scales, 8 * (run + 4), 6)
        else:
            scale = bits(scales, 8 * (run + 4), 4) + 16 * bits(scales, 8 * (run - 4) + 6, 2)
            minimum = bits(scales, 8 * (run + 4) + 4, 4) + 16 * bits(scales, 8 * run + 6, 2)
        pair = quants[32 * (run // 2):32 * (run // 2 + 1)]
        values += [d * scale * low_then_high(pair, 32 * (run % 2) + i, 32) - dmin * minimum for i in range(32)]
    return values


def q6_k(block):
    """value = d * scale * (q - 32), in sixteen runs of 16; the four quarters of each 128 values share their bytes."""
    low, high, scales, d = block[:128], block[128:192], block[192:208], float16(block, 208)
    values = []
    for i in range(256):
        half, quarter, place = i // 128, i % 128 // 32, i % 32
        lowest = bits(low, 8 * (64 * half + 32 * (quarter % 2) + place) + 4 * (quarter // 2), 4)
        highest = bits(high, 8 * (32 * half + place) + 2 * quarter, 2)
        scale = struct.unpack_from("b", scales, i // 16)[0]
        values.append(d * scale * (lowest + 16 * highest - 32))
    return values


# Type: values and bytes of a block, and how they are read.
BLOCKS = {2: (32, 18, q4_0), 8: (32, 34, q8_0), 12: (256, 144, q4_k), 14: (256, 210, q6_k)}


def values_of(data, begin, kind, count):
    if kind in PLAIN:
        values = numpy.frombuffer(data, PLAIN[kind], count, begin)
        return values if kind == 28 else values.astype(numpy.float32)
    if kind == BFLOAT16:
        return (numpy.frombuffer(data, "<u2", count, begin).astype(numpy.uint32) << 16).view(numpy.float32)
    if kind in BLOCKS:
        size, length, read = BLOCKS[kind]
        blocks = [read(data[begin + i * length:begin + (i + 1) * length]) for i in range(count // size)]
        return numpy.array(blocks, numpy.float64).astype(numpy.float32)
    return None


def tensors_in(path):
    """(name, shape, type, values or None) of each tensor."""
    with open(path, "rb") as file:
        data = file.read()
    reader = Reader(data)
    assert data[:4] == b"GGUF"
    reader.at = 8
    tensors, entries = reader.number("Q"), reader.number("Q")
    metadata = {}
    for _ in range(entries):
        key = reader.text()
        metadata[key] = reader.value(reader.number("I"))
    found = []
    for _ in range(tensors):
        name = reader.text()
        sizes = [reader.number("Q") for _ in range(reader.number("I"))]
        found.append((name, sizes[::-1], reader.number("I"), reader.number("Q")))
    alignment = metadata.get("general.alignment", ALIGNMENT)
    start = (reader.at + alignment - 1) // alignment * alignment
    for name, shape, kind, offset in found:
        yield name, shape, kind, values_of(data, start + offset, kind, int(numpy.prod(shape)))


def tensors_of(path):
    return [(name, values.reshape(shape)) for name, shape, _, values in tensors_in(path) if values is not None]


def main(path):
    out = []
    for name, shape, kind, values in tensors_in(path):
        out.append({"name": name, "shape": shape, "type": kind, "sha": None if values is None else hashlib.sha256(values.tobytes()).hexdigest()})
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
