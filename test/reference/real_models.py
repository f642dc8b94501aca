"""What numpy finds for every row of a report of RankLens.

Reads a JSON list of {"model", "report"} (paths; report: `ranklens analyze --json`) from stdin. Opens each model with the
onnx package, PyTorch, NumPy, h5py or parsers of its own, forms the matrix of each row from the row's shape, part and unfolding by
the rules of measures, and writes for each model the list of rows' references as JSON: a row's entry is a list, with one
candidate for each tensor that goes by the row's name in some graph of the model.
"""
import json
import re
import struct
import sys
from pathlib import Path

import numpy
import onnx
from onnx import numpy_helper  # noqa: F401 (onnx_tensors uses it)

import container_arrays
from adapters import config_beside, low_rank
from measures import EPSILON, measures, plain
from onnx_tensors import array_of, constant_of, quantized

# An integer of b bits has steps of 2^-(b-1) of its largest size.
ROW_EPSILON = {**EPSILON, "int8": 2.0**-7, "uint8": 2.0**-7, "q8_0": 2.0**-7, "q4_0": 2.0**-3}

GATES_ONNX = {"lstm": "iofc", "gru": "zrh"}
GATES_TORCH = {"lstm": "ifco", "gru": "rzh"}
# PyTorch calls the cell's candidate g and the GRU's n.
GATE_NAMES = {"g": "c", "n": "h"}


# --- Tensors ---------------------------------------------------------------------------------------------------

def onnx_arrays(path):
    """name -> arrays of that name in all graphs, dequantized."""
    folder, found = Path(path).parent, {}

    def walk(graph, outer):
        tensors = [(t.name, t) for t in graph.initializer]
        tensors += [(node.output[0], t) for node in graph.node if node.op_type == "Constant" and (t := constant_of(node)) is not None]
        arrays = {**outer, **{name: a for name, t in tensors if (a := array_of(t, folder)) is not None}}
        for name, _ in tensors:
            if name not in arrays:
                continue
            values = arrays[name]
            if values.dtype.kind in "iu" and values.ndim >= 2:
                values = quantized(graph.node, arrays, name)
            if values is not None:
                found.setdefault(name, []).append(values)
        for node in graph.node:
            for attribute in node.attribute:
                for inner in [attribute.g] if attribute.type == onnx.AttributeProto.GRAPH else list(attribute.graphs):
                    walk(inner, arrays)

    walk(onnx.load(path, load_external_data=False).graph, {})
    return found


def safetensors_arrays(path):
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        raw = data[8 + length + start : 8 + length + end]
        if entry["dtype"] == "BF16":
            values = (numpy.frombuffer(raw, "<u2").astype(numpy.uint32) << 16).view(numpy.float32)
        else:
            values = numpy.frombuffer(raw, {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I8": "<i1", "U8": "<u1", "BOOL": "<u1"}[entry["dtype"]])
        found[name] = [values.reshape(entry["shape"])]
    return found


def torch_arrays(path):
    import torch_tensors  # PyTorch takes seconds to load

    found = {}
    for name, tensor in torch_tensors.tensors_of(path):
        values = (tensor.dequantize() if tensor.is_quantized else tensor).detach()
        values = values.to(torch_tensors.torch.float32) if values.dtype == torch_tensors.torch.bfloat16 else values
        # Without the key under which a checkpoint holds its model.
        found.setdefault(re.sub(r"^(state_dict|model)\.", "", name), []).append(values.numpy())
        if name.isdigit():  # a list of LoRA factors without names: B and A of each module in turn
            found[f"pair:{int(name) // 2}:{('up', 'down')[int(name) % 2]}"] = [values.numpy()]
    return found


def arrays_of(path):
    if path.endswith((".gguf", ".h5", ".hdf5", ".tflite", ".pb")):
        return container_arrays.arrays_of(path)
    if re.search(r"\.(pth?|bin|ckpt)$", path):
        return torch_arrays(path)
    if path.endswith(".npz"):
        return {name: [values] for name, values in numpy.load(path).items()}
    if path.endswith(".onnx"):
        return onnx_arrays(path)
    if path.endswith(".index.json"):
        shards = set(json.loads(Path(path).read_text())["weight_map"].values())
        return {name: values for shard in shards for name, values in safetensors_arrays(Path(path).parent / shard).items()}
    return safetensors_arrays(path)


def candidates(arrays, name):
    """Where two graphs use one name, the report adds the graph's path before it or a number after it."""
    for known in (name, re.sub(r" \(\d+\)$", "", name), re.sub(r"^.*_branch/", "", re.sub(r" \(\d+\)$", "", name))):
        if known in arrays:
            return arrays[known]
    raise KeyError(f"no tensor {name}")


# --- From a tensor to the matrix of a row ------------------------------------------------------------------------

def gate_matrix(w, kind, part):
    direction = int(found.group(1)) if (found := re.search(r"direction:(\d+)", part)) else 0
    gate = re.search(r"gate:(\w+)", part)
    if w.ndim == 3:
        w, order = w[direction], GATES_ONNX.get(kind)
    else:
        order = GATES_TORCH.get(kind)
    if gate is None:
        return w
    name = GATE_NAMES.get(gate.group(1), gate.group(1))
    hidden = w.shape[0] // len(order)
    index = order.index(name)
    return w[index * hidden : (index + 1) * hidden]


def conv_matrix(w, transposed, unfolding, part):
    if part is not None:
        group = int(part.removeprefix("group:"))
        count = conv_matrix.groups
        each = w.shape[0] // count
        w = w[group * each : (group + 1) * each]
    if unfolding == "depthwise":
        return w.reshape(w.shape[0], -1)
    if transposed:
        w = w.swapaxes(0, 1)  # (in, out, k...) -> (out, in, k...)
    if unfolding == "channel":
        return w.reshape(w.shape[0], -1)
    out, inputs, height, width = w.shape
    return w.transpose(1, 2, 0, 3).reshape(inputs * height, out * width)


def matrix_of(row, w, siblings):
    kind, part, unfolding, wanted = row["kind"], row["part"], row["unfolding"], tuple(row["matrix"])
    if kind in ("lstm", "gru", "rnn") and row["input"] == "rows":
        return container_arrays.gate_columns(w, kind, part)
    if kind in ("lstm", "gru", "rnn"):
        return gate_matrix(w, kind, part or "")
    if unfolding in ("channel", "spatial", "depthwise"):
        if kind not in ("conv", "conv_transpose"):
            long = [size for size in w.shape if size > 1] or [1]
            return w.reshape(long[0], -1) if w.ndim <= 2 or kind != "adapter" else w.reshape(w.shape[0], -1)
        conv_matrix.groups = max([int(r["part"].removeprefix("group:")) + 1 for r in siblings if (r["part"] or "").startswith("group:")], default=1)
        return conv_matrix(w, kind == "conv_transpose", unfolding, part)
    if part is not None and part.startswith("expert:"):
        return w[int(part.removeprefix("expert:"))]
    if part is not None:
        side = 1 if row["input"] == "rows" else 0
        start = 0
        for other in siblings:
            if other["part"] == part:
                return w.take(range(start, start + wanted[side]), axis=side)
            start += 0 if other["part"] is None else other["matrix"][side]
    if w.shape == wanted:
        return w
    # A Reshape or a Transpose of the graph, or axes of size 1.
    squeezed = w.reshape([size for size in w.shape if size > 1] or [1])
    if squeezed.ndim == 2 and squeezed.shape[::-1] == wanted:
        return squeezed.T
    return w.reshape(wanted)


def references(model, report):
    arrays = arrays_of(model)
    rows = json.loads(Path(report).read_text())["layers"]
    answers = []
    for row in rows:
        if row["kind"] == "adapter" and (change := low_rank(arrays, row["name"], config_beside(model), ROW_EPSILON[row["dtype"]])) is not None:
            answers.append([change])
            continue
        siblings = [other for other in rows if other["name"] == row["name"]]
        found = []
        for w in candidates(arrays, row["name"]):
            if list(w.shape) != row["shape"]:
                continue
            matrix = matrix_of(row, container_arrays.in_order_of_torch(model, row, w), siblings)
            if list(matrix.shape) != row["matrix"]:
                raise ValueError(f"{row['name']} {row['part']} {row['unfolding']}: {matrix.shape} instead of {row['matrix']}")
            found.append(measures(matrix, ROW_EPSILON[row["dtype"]], recurrent=row["spectralRadius"] is not None))
        answers.append(found)
    return answers


def main():
    json.dump([references(job["model"], job["report"]) for job in json.load(sys.stdin)], sys.stdout, default=plain)


if __name__ == "__main__":
    main()
