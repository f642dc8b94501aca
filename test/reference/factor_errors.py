"""Of two safetensors files, original and factored: relative error of each factorized matrix, and that of numpy's best of its rank."""
import json
import struct
import sys

import numpy


def tensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: numpy.frombuffer(data[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"]).astype("f8") for name, entry in header.items()}


original, factored = tensors(sys.argv[1]), tensors(sys.argv[2])
told = {}
for name, weight in original.items():
    base = name.removesuffix("weight")
    if f"{base}0.weight" not in factored:
        continue
    first, last = factored[f"{base}0.weight"], factored[f"{base}1.weight"]
    values = numpy.linalg.svd(weight, compute_uv=False)
    norm = numpy.linalg.norm(weight)
    told[name] = {"error": numpy.linalg.norm(weight - last @ first) / norm, "best": float(numpy.sqrt((values[first.shape[0]:] ** 2).sum()) / norm)}
print(json.dumps(told))
