"""What a TensorFlow checkpoint holds, read from the descriptions of its formats alone, as JSON on stdout.

Usage: savedmodel_tensors.py PREFIX, where PREFIX.index and PREFIX.data-… are the files. For each tensor: key, shape, type number, and the
SHA-256 of its bytes where it is of float32; null otherwise. Formats: LevelDB's doc/table_format.md, TensorFlow's tensor_bundle.proto.
"""
import glob
import hashlib
import json
import struct
import sys

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


def main(prefix):
    with open(prefix + ".index", "rb") as file:
        table = file.read()
    _, at = varint(table, len(table) - 48)
    _, at = varint(table, at)
    shards = [open(path, "rb").read() for path in sorted(glob.glob(prefix + ".data-*"))]
    found = []
    for _, handle in entries(table, table[at:]):
        for key, body in entries(table, handle):
            if key == b"":
                continue
            fields = message(body)
            first = lambda number: fields.get(number, [0])[0]
            shape = [message(dimension).get(1, [0])[0] for dimension in message(fields.get(2, [b""])[0]).get(2, [])]
            values = shards[first(3)][first(4):first(4) + first(5)]
            found.append({"key": key.decode(), "shape": shape, "type": first(1), "sha": hashlib.sha256(values).hexdigest() if first(1) == FLOAT else None})
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
