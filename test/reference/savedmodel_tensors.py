"""What a TensorFlow checkpoint holds, read from the descriptions of its formats alone, as JSON on stdout.

Usage: savedmodel_tensors.py PREFIX, where PREFIX.index and PREFIX.data-… are the files. For each tensor: key, shape, type number, and the
SHA-256 of its bytes where it is of float32; null otherwise. Formats: LevelDB's doc/table_format.md, TensorFlow's tensor_bundle.proto.
"""
import glob
import hashlib
import json
import struct
import sys

import numpy

FLOAT = 1


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def message(data):
    """{field: [values]}, numbers as they are and everything else as bytes."""
    fields, at = {}, 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        else:
            length, at = varint(data, at) if tag & 7 == 2 else ({1: 8, 5: 4}[tag & 7], at)
            value, at = data[at:at + length], at + length
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def entries(data, handle):
    offset, at = varint(handle, 0)
    size, _ = varint(handle, at)
    assert data[offset + size] == 0, "a packed block"
    block = data[offset:offset + size]
    end = size - 4 - 4 * struct.unpack("<I", block[-4:])[0]
    key, at = b"", 0
    while at < end:
        shared, at = varint(block, at)
        own, at = varint(block, at)
        length, at = varint(block, at)
        key = key[:shared] + block[at:at + own]
        at += own
        yield key, block[at:at + length]
        at += length


def tensors_in(prefix):
    """(key, shape, type, bytes) of each tensor."""
    with open(prefix + ".index", "rb") as file:
        table = file.read()
    _, at = varint(table, len(table) - 48)
    _, at = varint(table, at)
    shards = [open(path, "rb").read() for path in sorted(glob.glob(prefix + ".data-*"))]
    for _, handle in entries(table, table[at:]):
        for key, body in entries(table, handle):
            if key == b"":
                continue
            fields = message(body)
            first = lambda number: fields.get(number, [0])[0]
            shape = [message(dimension).get(1, [0])[0] for dimension in message(fields.get(2, [b""])[0]).get(2, [])]
            yield key.decode(), shape, first(1), shards[first(3)][first(4):first(4) + first(5)]


def variables_of(prefix):
    """(name, values) of the float32 variables, by the names that the graph of objects gives their keys."""
    found = {key: (shape, kind, raw) for key, shape, kind, raw in tensors_in(prefix)}
    raw = found["_CHECKPOINTABLE_OBJECT_GRAPH"][2]
    length, at = varint(raw, 0)
    names = {}
    for node in message(raw[at + 4:at + 4 + length]).get(1, []):
        for attribute in message(node).get(2, []) if node else []:
            fields = message(attribute)
            names[fields.get(3, [b""])[0].decode()] = fields.get(2, [b""])[0].decode()
    for key, (shape, kind, raw) in found.items():
        if kind == FLOAT and "OPTIMIZER_SLOT" not in key:
            yield names.get(key, key), numpy.frombuffer(raw, "<f4").reshape(shape)


def main(prefix):
    found = []
    for key, shape, kind, raw in tensors_in(prefix):
        found.append({"key": key, "shape": shape, "type": kind, "sha": hashlib.sha256(raw).hexdigest() if kind == FLOAT else None})
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
