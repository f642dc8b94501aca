"""The peer of whole-model benchmarks: what a person would write with PyTorch. Usage: torch_loop.py FILE_OR_INDEX

Every matrix of a safetensors file (or of the shards of an index) through torch.linalg.svdvals in float32, one after
the other, with all of PyTorch's threads; stable and effective rank of each.
"""
import json
import pathlib
import struct
import sys

import numpy
import torch

DTYPES = {"F32": numpy.float32, "BF16": numpy.uint16}


def tensors(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    for name, entry in header.items():
        if name == "__metadata__" or len(entry["shape"]) != 2:
            continue
        start, end = entry["data_offsets"]
        values = numpy.fromfile(path, DTYPES[entry["dtype"]], (end - start) // DTYPES[entry["dtype"]]().itemsize, offset=8 + length + start)
        if entry["dtype"] == "BF16":
            values = (values.astype(numpy.uint32) << 16).view(numpy.float32)
        yield name, torch.from_numpy(values.reshape(entry["shape"]))


path = pathlib.Path(sys.argv[1])
files = sorted({path.parent / name for name in json.loads(path.read_text())["weight_map"].values()}) if path.suffix == ".json" else [path]
for file in files:
    for name, matrix in tensors(file):
        s = torch.linalg.svdvals(matrix).double()
        p = s / s.sum()
        print(name, ((s * s).sum() / s[0] ** 2).item(), torch.exp(-(p * torch.log(p)).sum()).item())
