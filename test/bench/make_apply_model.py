"""Makes models of 100 MB for the benchmark of applying a plan: make_apply_model.py resnet50 FILE.onnx | transformer FILE.safetensors | wide FILE.safetensors

resnet50: the convolutions and the classifier of ResNet-50, one after the other.
transformer: blocks of GPT-2 small's shapes without its embedding. wide: square matrices of 2048.
Weights are A·B + noise as in make_model.py. The seed is fixed.
"""
import sys

import numpy

from make_model import matrix, write

random = numpy.random.default_rng(1)


def resnet50_shapes():
    shapes, channels = [(64, 3, 7, 7)], 64
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for _ in range(blocks):
            shapes += [(width, channels, 1, 1), (width, width, 3, 3), (4 * width, width, 1, 1)]
            channels = 4 * width
    return shapes


def resnet50(path):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, weights, value = [], [], "input"
    for number, shape in enumerate(resnet50_shapes()):
        rows, columns = shape[0], int(numpy.prod(shape[1:]))
        weights.append(numpy_helper.from_array(matrix(random, rows, columns).reshape(shape), f"conv{number}.weight"))
        pad = shape[2] // 2
        nodes += [helper.make_node("Conv", [value, f"conv{number}.weight"], [f"conv{number}"], name=f"conv{number}", kernel_shape=shape[2:], pads=[pad] * 4, strides=[2, 2] if number == 0 else [1, 1]),
                  helper.make_node("Relu", [f"conv{number}"], [f"relu{number}"], name=f"relu{number}")]
        value = f"relu{number}"
    weights.append(numpy_helper.from_array(matrix(random, 2048, 1000), "fc.weight"))
    nodes += [helper.make_node("GlobalAveragePool", [value], ["pooled"]), helper.make_node("Flatten", ["pooled"], ["flat"]), helper.make_node("MatMul", ["flat", "fc.weight"], ["output"], name="fc")]
    graph = helper.make_graph(nodes, "resnet50", [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 32, 32])], [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1000])], weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), path)


def transformer(path):
    shapes = {}
    for block in range(4):
        for name, shape in {"attn.q": (768, 768), "attn.k": (768, 768), "attn.v": (768, 768), "attn.proj": (768, 768), "mlp.fc": (3072, 768), "mlp.proj": (768, 3072)}.items():
            shapes[f"h.{block}.{name}.weight"] = shape
    shapes["head.weight"] = (512, 768)
    write(path, shapes, random, "F32", lambda values: values, 4)


def wide(path):
    shapes = {f"layer{number}.weight": (2048, 2048) for number in range(6)}
    write(path, {**shapes, "head.weight": (64, 2048)}, random, "F32", lambda values: values, 4)


{"resnet50": resnet50, "transformer": transformer, "wide": wide}[sys.argv[1]](sys.argv[2])
