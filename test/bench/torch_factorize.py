"""The peer of applying a plan: what a person would write with PyTorch. Usage: torch_factorize.py MODEL PLAN.json OUT

Each layer that the plan factorizes through torch.linalg.svd in float32, one after the other, with all of PyTorch's threads;
its factors, √σ to each, and all other tensors into one file of the same kind. Convolutions by the channel scheme.
"""
import json
import struct
import sys

import numpy
import torch

path, plan, out = sys.argv[1:]
with open(plan) as file:
    plan = json.load(file)
ranks = {layer["name"]: layer["ranks"][0] for layer in plan.get("plan", plan)["layers"] if layer["action"] == "factorize"}


def factors(weight, rank):
    u, s, v = torch.linalg.svd(torch.from_numpy(weight.reshape(weight.shape[0], -1)), full_matrices=False)
    root = s[:rank].sqrt()
    return (u[:, :rank] * root).contiguous().numpy(), (root[:, None] * v[:rank]).contiguous().numpy()


if path.endswith(".onnx"):
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    for tensor in list(model.graph.initializer):
        if tensor.name in ranks:
            left, right = factors(numpy_helper.to_array(tensor).copy(), ranks[tensor.name])
            model.graph.initializer.remove(tensor)
            model.graph.initializer.extend([numpy_helper.from_array(right, tensor.name + ".first"), numpy_helper.from_array(left, tensor.name + ".last")])
    onnx.save(model, out)
else:
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        weight = numpy.fromfile(path, numpy.float32, (end - start) // 4, offset=8 + length + start).reshape(entry["shape"])
        if name in ranks:
            tensors[name + ".1"], tensors[name + ".0"] = factors(weight, ranks[name])
        else:
            tensors[name] = weight
    entries, at = {}, 0
    for name, values in tensors.items():
        entries[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [at, at + values.nbytes]}
        at += values.nbytes
    text = json.dumps(entries).encode()
    with open(out, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            file.write(values.tobytes())
