"""What the onnx package finds in a model: every tensor of all graphs, as JSON on stdout.

Usage: onnx_tensors.py MODEL. For each initializer and Constant: name, shape, ONNX data type, the SHA-256 of its
values as float32 (float64 for float64) in row-major order, and for tensors that a DequantizeLinear or an integer
product scales, the SHA-256 of (q - zero point) * scale in float32.
"""
import hashlib
import json
import sys
from pathlib import Path

import numpy
import onnx
from onnx import numpy_helper

FLOAT, FLOAT16, DOUBLE = 1, 10, 11
INTEGERS = (2, 3, 4, 5, 6)


def sha(values):
    return hashlib.sha256(numpy.ascontiguousarray(values).tobytes()).hexdigest()


def constant_of(node):
    for attribute in node.attribute:
        if attribute.name == "value":
            return attribute.t
        if attribute.name == "value_float":
            return numpy_helper.from_array(numpy.float32(attribute.f))
        if attribute.name == "value_int":
            return numpy_helper.from_array(numpy.int64(attribute.i))
        if attribute.name == "value_floats":
            return numpy_helper.from_array(numpy.array(attribute.floats, numpy.float32))
        if attribute.name == "value_ints":
            return numpy_helper.from_array(numpy.array(attribute.ints, numpy.int64))
    return None


def array_of(tensor, folder):
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        location = {entry.key: entry.value for entry in tensor.external_data}["location"]
        if not (folder / location).exists():
            return None
    return numpy_helper.to_array(tensor, str(folder))


def shaped(values, weight, axis):
    """Scale or zero point, broadcast along `axis` of the weight."""
    if values.size == 1:
        return values.reshape(())
    shape = [1] * weight.ndim
    shape[axis] = values.size
    return values.reshape(shape)


def dequantized(weight, scale, zero, axis):
    integers = weight.astype(numpy.int64)
    if zero is not None:
        integers = integers - shaped(zero.astype(numpy.int64), weight, axis)
    return integers.astype(numpy.float32) * shaped(scale.astype(numpy.float32), weight, axis)


def scale_of_product(node, nodes, arrays):
    """The constant factor that the product of MatMulInteger is multiplied with, after its Cast."""
    casts = [n for n in nodes if n.op_type == "Cast" and n.input[0] == node.output[0]]
    for mul in (n for n in nodes if n.op_type == "Mul" and casts and casts[0].output[0] in n.input):
        other = [name for name in mul.input if name != casts[0].output[0]][0]
        maker = next((n for n in nodes if other in n.output), None)
        for name in maker.input if maker is not None else []:
            if name in arrays:
                return arrays[name]
    return None


def quantized(graph_nodes, arrays, name):
    """The dequantized weight, by the node that takes it; None where no node gives it a scale."""
    for node in graph_nodes:
        if node.op_type == "DequantizeLinear" and node.input[0] == name and node.input[1] in arrays:
            zero = arrays.get(node.input[2]) if len(node.input) > 2 else None
            axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
            return dequantized(arrays[name], arrays[node.input[1]], zero, axis)
        if node.op_type == "MatMulInteger" and node.input[1] == name:
            zero = arrays.get(node.input[3]) if len(node.input) > 3 else None
            return dequantized(arrays[name], scale_of_product(node, graph_nodes, arrays), zero, arrays[name].ndim - 1)
        if node.op_type == "Gather" and node.input[0] == name:
            for after in graph_nodes:
                if after.op_type == "DequantizeLinear" and after.input[0] == node.output[0]:
                    return dequantized(arrays[name], arrays[after.input[1]], arrays.get(after.input[2]), 0)
    return None


def main(path):
    folder = Path(path).parent
    model = onnx.load(path, load_external_data=False)
    found = []

    def walk(graph, outer):
        tensors = [(tensor.name, tensor) for tensor in graph.initializer]
        for node in graph.node:
            if node.op_type == "Constant":
                tensor = constant_of(node)
                if tensor is not None:
                    tensors.append((node.output[0], tensor))
        arrays = {**outer, **{name: array for name, tensor in tensors if (array := array_of(tensor, folder)) is not None}}
        for name, tensor in tensors:
            entry = {"name": name, "shape": list(tensor.dims), "type": tensor.data_type, "sha": None, "dequantized": None}
            if name in arrays and tensor.data_type in (FLOAT, FLOAT16, DOUBLE):
                kind = numpy.float64 if tensor.data_type == DOUBLE else numpy.float32
                entry["sha"] = sha(arrays[name].astype(kind))
            if name in arrays and tensor.data_type in INTEGERS:
                values = quantized(graph.node, arrays, name)
                entry["dequantized"] = None if values is None else sha(values)
            found.append(entry)
        for node in graph.node:
            for attribute in node.attribute:
                for inner in ([attribute.g] if attribute.type == onnx.AttributeProto.GRAPH else list(attribute.graphs)):
                    walk(inner, arrays)

    walk(model.graph, {})
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
