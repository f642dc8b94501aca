"""What numpy finds in safetensors files: every tensor, as JSON on stdout.

Usage: safetensors_tensors.py FILE... For each file a list of name, shape, dtype, and the SHA-256 of the values in
row-major order, as float32 for types that float32 holds and float64 for F64; null for integers. The header is read by
itself, with Python's json, and values by numpy.
"""
import hashlib
import json
import struct
import sys

import numpy

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}


def values_of(dtype, data):
    if dtype == "BF16":
        return (numpy.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
    if dtype not in TYPES:
        return None
    values = numpy.frombuffer(data, TYPES[dtype])
    return values if dtype == "F64" else values.astype("<f4")


def tensors_of(path):
    with open(path, "rb") as file:
        content = file.read()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    found = []
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        values = values_of(entry["dtype"], content[begin:end])
        sha = None if values is None else hashlib.sha256(values.tobytes()).hexdigest()
        found.append({"name": name, "shape": entry["shape"], "dtype": entry["dtype"], "sha": sha})
    return found


json.dump([tensors_of(path) for path in sys.argv[1:]], sys.stdout)
