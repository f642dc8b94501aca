"""What a TensorFlow Lite file holds, read from the FlatBuffers' layout alone, as JSON on stdout.

Usage: tflite_tensors.py FILE. For each tensor that has values: name, shape, type number, and the SHA-256 of its values in row-major order
as float32, dequantized where it has scales; null for types that are no weights. Field numbers are those of
tensorflow/compiler/mlir/lite/schema/schema.fbs.
"""
import hashlib
import json
import struct
import sys

import numpy

FLOATS = {0: "<f4", 1: "<f2"}
INTEGERS = {2: "<i4", 3: "<u1", 7: "<i2", 9: "<i1"}


class Table:
    def __init__(self, data, at):
        self.data, self.at = data, at
        self.vtable = at - struct.unpack_from("<i", data, at)[0]

    def place(self, number):
        (size,) = struct.unpack_from("<H", self.data, self.vtable)
        if 4 + 2 * number >= size:
            return None
        (offset,) = struct.unpack_from("<H", self.data, self.vtable + 4 + 2 * number)
        return self.at + offset if offset else None

    def scalar(self, number, kind, default):
        place = self.place(number)
        return default if place is None else struct.unpack_from("<" + kind, self.data, place)[0]

    def pointer(self, number):
        place = self.place(number)
        return None if place is None else place + struct.unpack_from("<I", self.data, place)[0]

    def table(self, number):
        pointer = self.pointer(number)
        return None if pointer is None else Table(self.data, pointer)

    def array(self, number, kind):
        pointer = self.pointer(number)
        if pointer is None:
            return numpy.array([], kind)
        return numpy.frombuffer(self.data, kind, struct.unpack_from("<I", self.data, pointer)[0], pointer + 4)

    def tables(self, number):
        pointer = self.pointer(number)
        places = [] if pointer is None else [pointer + 4 + 4 * i for i in range(struct.unpack_from("<I", self.data, pointer)[0])]
        return [Table(self.data, place + struct.unpack_from("<I", self.data, place)[0]) for place in places]


def values_of(tensor, raw, shape):
    kind = tensor.scalar(1, "b", 0)
    if kind in FLOATS:
        return raw.view(FLOATS[kind]).astype(numpy.float32)
    quantization = tensor.table(4)
    scales = numpy.array([], "<f4") if quantization is None else quantization.array(2, "<f4")
    if kind not in INTEGERS or scales.size == 0:
        return None
    zeros = quantization.array(3, "<i8")
    axis = [1] * len(shape)
    if scales.size > 1:
        axis[quantization.scalar(6, "i", 0)] = scales.size
    integers = raw.view(INTEGERS[kind]).reshape(shape).astype(numpy.int64)
    scale = scales.reshape(axis) if scales.size > 1 else scales[0]
    zero = zeros.reshape(axis) if zeros.size > 1 else zeros[0] if zeros.size else 0
    return (integers - zero).astype(numpy.float32) * scale


def tensors_in(path):
    """(name, shape, type, values or None) of each tensor that has values."""
    with open(path, "rb") as file:
        data = file.read()
    root = Table(data, struct.unpack_from("<I", data, 0)[0])
    buffers = [buffer.array(0, "u1") for buffer in root.tables(4)]
    for subgraph in root.tables(2):
        for tensor in subgraph.tables(0):
            raw = buffers[tensor.scalar(2, "I", 0)]
            if raw.size == 0:
                continue
            shape = tensor.array(0, "<i4").tolist()
            yield tensor.array(3, "u1").tobytes().decode(), shape, tensor.scalar(1, "b", 0), values_of(tensor, raw, shape)


def tensors_of(path):
    return [(name, values.reshape(shape)) for name, shape, _, values in tensors_in(path) if values is not None]


def main(path):
    out = []
    for name, shape, kind, values in tensors_in(path):
        out.append({"name": name, "shape": shape, "type": kind, "sha": None if values is None else hashlib.sha256(numpy.ascontiguousarray(values).tobytes()).hexdigest()})
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
