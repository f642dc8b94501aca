"""Runs two convolutional classifiers by PyTorch, node by node, and compares their scores by NumPy: one JSON object.

usage: verified_onnx.py ORIGINAL CANDIDATE IMAGES.gz COUNT DATA.npz (which is written)
"""
import gzip
import json
import sys

import numpy as np
import onnx
import torch
from onnx import numpy_helper

original, candidate, images, count, data = sys.argv[1:]


def run(model, x):
    values = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in model.graph.initializer}
    values[next(i.name for i in model.graph.input if i.name not in values)] = x
    for node in model.graph.node:
        a = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
        x, *rest = [values[name] for name in node.input if name]
        values[node.output[0]] = OPERATORS[node.op_type](x, rest, a)
    return values[model.graph.output[0].name].numpy()


def conv(x, rest, a):
    kernel, stride, dilation = rest[0].shape[2:], a.get("strides", [1, 1]), a.get("dilations", [1, 1])
    pads = a.get("pads", [0, 0, 0, 0])
    if a.get("auto_pad", b"NOTSET") == b"SAME_UPPER":
        total = [max(0, (-(-n // s) - 1) * s + (k - 1) * d + 1 - n) for n, k, s, d in zip(x.shape[2:], kernel, stride, dilation)]
        pads = [total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2]
    x = torch.nn.functional.pad(x, (pads[1], pads[3], pads[0], pads[2]))
    return torch.nn.functional.conv2d(x, rest[0], rest[1] if len(rest) > 1 else None, stride, 0, dilation, a.get("group", 1))


OPERATORS = {
    "Conv": conv,
    "Add": lambda x, rest, a: x + rest[0],
    "Relu": lambda x, rest, a: x.relu(),
    "MatMul": lambda x, rest, a: x @ rest[0],
    "MaxPool": lambda x, rest, a: torch.nn.functional.max_pool2d(x, a["kernel_shape"], a["strides"]),
    "Reshape": lambda x, rest, a: x.reshape([int(size) for size in rest[0]]),
}

first, second = onnx.load(original), onnx.load(candidate)
x = np.frombuffer(gzip.open(images).read(), "u1", offset=16).reshape(-1, 1, 28, 28)[: int(count)].astype("f4")
name = next(i.name for i in first.graph.input if i.name not in {t.name for t in first.graph.initializer})
np.savez(data, **{name: x})
with torch.no_grad():
    y, z = (np.concatenate([run(model, torch.from_numpy(one[None])) for one in x]).astype("f8") for model in (first, second))
top, other = y.argmax(1), z.argmax(1)
print(json.dumps({
    "relativeError": np.linalg.norm(y - z) / np.linalg.norm(y),
    "cosine": (y * z).sum() / np.linalg.norm(y) / np.linalg.norm(z),
    "largestDifference": np.abs(y - z).max(),
    "topOneAgreement": (top == other).mean(),
    "byClass": {int(k): [int((top == k).sum()), (other[top == k] == k).mean()] for k in np.unique(top)},
}))
