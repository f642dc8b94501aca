"""What a convolution is applied to, by numpy: python calibration.py MODEL.onnx DATA.npz → JSON, group by group, of the mean of
x xᵀ over all patches x, and the singular values of the outputs W X / √N."""
import itertools
import json
import sys

import numpy
import onnx
from onnx import numpy_helper

graph = onnx.load(sys.argv[1]).graph
node = graph.node[0]
weight = numpy_helper.to_array(graph.initializer[0]).astype(float)
attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
x = numpy.load(sys.argv[2])["x"].astype(float)
kernel = weight.shape[2:]
axes = len(kernel)
groups = attributes.get("group", 1)
strides, dilations = attributes.get("strides", [1] * axes), attributes.get("dilations", [1] * axes)
pads = attributes.get("pads", [0] * 2 * axes)
x = numpy.pad(x, [(0, 0), (0, 0)] + [(pads[axis], pads[axes + axis]) for axis in range(axes)])
outputs = [(x.shape[2 + axis] - dilations[axis] * (kernel[axis] - 1) - 1) // strides[axis] + 1 for axis in range(axes)]
channels = weight.shape[1]
answer = []
for group in range(groups):
    own = x[:, group * channels:(group + 1) * channels]
    patches = []
    for place in itertools.product(*[range(size) for size in outputs]):
        window = tuple(slice(place[axis] * strides[axis], place[axis] * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1, dilations[axis]) for axis in range(axes))
        patches.append(own[(slice(None), slice(None)) + window].reshape(len(own), -1))
    patches = numpy.concatenate(patches)
    out = len(weight) // groups
    unfolding = weight[group * out:(group + 1) * out].reshape(out, -1)
    answer.append({
        "moment": (patches.T @ patches / len(patches)).ravel().tolist(), "count": len(patches),
        "values": numpy.linalg.svd(unfolding @ patches.T / len(patches) ** 0.5, compute_uv=False)[:min(unfolding.shape)].tolist(),
    })
print(json.dumps(answer))
