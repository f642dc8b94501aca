"""Multiply-adds of the layers of ONNX models by the onnx package's shape inference, as JSON: name of the weight → count."""
import json
import math
import sys

import onnx
from onnx import numpy_helper


def count(path):
    model = onnx.shape_inference.infer_shapes(onnx.load(path), data_prop=True)
    graph = model.graph
    values = [*graph.input, *graph.output, *graph.value_info]
    shapes = {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in values}
    weights = {tensor.name: list(numpy_helper.to_array(tensor).shape) for tensor in graph.initializer}
    shapes.update(weights)
    counts = {}
    for node in graph.node:
        names = [name for name in node.input if name in weights and len(weights[name]) > 1]
        if not names or node.op_type not in ("Conv", "MatMul", "Gemm"):
            continue
        name = names[0]
        if node.op_type == "Conv":
            result = shapes[node.output[0]]
            times = result[0] * math.prod(result[2:])
        else:
            other = shapes[node.input[1 - list(node.input).index(name)]]
            transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
            times = math.prod(other) // weights[name][1 if transposed else 0]
        counts[name] = counts.get(name, 0) + times * math.prod(weights[name])
    return counts


print(json.dumps([count(path) for path in sys.argv[1:]]))
