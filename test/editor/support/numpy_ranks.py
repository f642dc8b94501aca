"""Ranks of the matrices of a model file, by numpy alone: {tensor: {stableRank, effectiveRank, energyRank90}}.

Convolutions are unfolded by output channels, out x (in * kh * kw); of a grouped one, means over its groups.
"""
import json
import struct
import sys

import numpy as np


def onnx_matrices(path):
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    groups = {node.input[1]: a.i for node in graph.node if node.op_type == "Conv" for a in node.attribute if a.name == "group"}
    return {i.name: np.array_split(numpy_helper.to_array(i), groups.get(i.name, 1)) for i in graph.initializer}


def safetensors_matrices(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        body = file.read()
    header.pop("__metadata__", None)
    assert all(entry["dtype"] == "F32" for entry in header.values())
    return {
        name: [np.frombuffer(body[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])]
        for name, entry in header.items()
    }


def ranks(tensor):
    values = np.linalg.svd(tensor.astype(np.float64).reshape(tensor.shape[0], -1), compute_uv=False)
    energy = values**2 / np.sum(values**2)
    # Roy and Vetterli: the exponential of the entropy of the normalized singular values.
    share = values[values > 0] / np.sum(values)
    return {
        "stableRank": float(np.sum(values**2) / values[0] ** 2),
        "effectiveRank": float(np.exp(-np.sum(share * np.log(share)))),
        "energyRank90": int(np.searchsorted(np.cumsum(energy), 0.9)) + 1,
    }


def mean(parts):
    return {key: sum(part[key] for part in parts) / len(parts) for key in parts[0]}


path = sys.argv[1]
matrices = onnx_matrices(path) if path.endswith(".onnx") else safetensors_matrices(path)
print(json.dumps({name: mean([ranks(part) for part in parts]) for name, parts in matrices.items() if parts[0].ndim >= 2}))
