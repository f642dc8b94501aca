import { RECURRENT_MODULES } from "./recurrentModules";

/** The key in the file's metadata under which the modules are described, and the script that reads it. */
export const MODULES_KEY = "ranklens.modules";
export const LOADER_NAME = "load_factorized.py";

/** Written beside a factored safetensors file: needs PyTorch alone. */
export const LOADER = `"""Loads a model whose layers RankLens has factorized.

    from load_factorized import load_factorized
    model = MyModel()                                   # built as for the original weights
    load_factorized(model, "model.safetensors")         # or "model.safetensors.index.json" of several files

Each factorized layer becomes a torch.nn.Sequential of smaller layers, which the file's metadata describes, and an LSTM,
GRU or RNN (or a cell of one) a FactorizedRecurrent. Stride, padding and dilation are taken from the layer that is
replaced. Needs torch alone.
"""
import json
import os
import struct

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
          "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool}
CONVOLUTIONS = {"conv": {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d},
                "conv_transpose": {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}}


def read_safetensors(path):
    """The tensors and the metadata of a safetensors file."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        flat = torch.frombuffer(data[begin:end], dtype=DTYPES[entry["dtype"]]) if end > begin else torch.empty(0, dtype=DTYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, metadata


def read_checkpoint(path):
    """The same of all files that an index names. Metadata that names a tensor says of what other one it is the same."""
    if not path.endswith(".json"):
        return read_safetensors(path)
    with open(path, encoding="utf-8") as file:
        names = sorted(set(json.load(file)["weight_map"].values()))
    tensors, metadata, modules = {}, {}, {}
    for name in names:
        own, said = read_safetensors(os.path.join(os.path.dirname(path), name))
        modules.update(json.loads(said.pop("${MODULES_KEY}", "{}")))
        tensors.update(own)
        metadata.update(said)
    return tensors, {**metadata, "${MODULES_KEY}": json.dumps(modules)}


class GroupedLinear(nn.Module):
    """The channels of the input in equal parts, each with a matrix of its own; these lie one below another."""

    def __init__(self, rows, columns, groups):
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.empty(rows, columns))

    def forward(self, inputs):
        parts = inputs.reshape(*inputs.shape[:-1], self.groups, self.weight.shape[1])
        return torch.einsum("...gi,goi->...go", parts, self.weight.reshape(self.groups, -1, self.weight.shape[1])).flatten(-2)


${RECURRENT_MODULES}

def matrix_layer(step, bias):
    rows, columns = step["shape"]
    if step["groups"] > 1:
        return GroupedLinear(rows, columns, step["groups"])
    return nn.Embedding(rows, columns) if step["op"] == "embedding" else nn.Linear(columns, rows, bias=bias)


def convolution_layer(step, original, bias):
    """One step of a convolution: each axis takes the original's options, or none."""
    groups, kernel, axes = step["groups"], step["shape"][2:], step["axes"]
    first, second = step["shape"][:2]
    channels = (second * groups, first) if step["op"] == "conv" else (first, second * groups)

    def own(values, without):
        return tuple(value if takes else without for value, takes in zip(values, axes))

    padding = original.padding
    options = {"stride": own(original.stride, 1), "dilation": own(original.dilation, 1), "groups": groups, "bias": bias,
               "padding": (padding if any(axes) else 0) if isinstance(padding, str) else own(padding, 0)}
    if step["op"] == "conv_transpose":
        options["output_padding"] = own(original.output_padding, 0)
    elif any(axes):
        options["padding_mode"] = original.padding_mode
    return CONVOLUTIONS[step["op"]][len(kernel)](*channels, tuple(kernel), **options)


def factorized_layer(original, steps):
    """The layers that take the place of \`original\`, with weights still to be loaded."""
    device = next(original.parameters()).device
    groups = getattr(original, "groups", 1)
    # One of the steps may divide the layer's own groups further; none has fewer.
    expected = min(step["groups"] for step in steps) if "conv" in steps[0]["op"] else 1
    if groups != expected:
        raise ValueError(f"{original} has {groups} groups, but was factorized as a layer of {expected}: the file does not say. Exclude it")
    layers = []
    for index, step in enumerate(steps):
        bias = index == len(steps) - 1 and getattr(original, "bias", None) is not None
        layers.append(convolution_layer(step, original, bias) if "conv" in step["op"] else matrix_layer(step, bias))
    return nn.Sequential(*layers).to(device)


def replacements(model, modules):
    """The layers that take the place of others, by name. Weights of one recurrent layer come one by one."""
    recurrent, new = {}, {}
    for name, steps in modules.items():
        if steps[-1]["op"] == "recurrent":
            module, _, parameter = name.rpartition(".")
            recurrent.setdefault(module, {})[parameter] = steps
        else:
            new[name] = factorized_layer(model.get_submodule(name), steps), name + ".0.weight"
    for module, factors in recurrent.items():
        new[module] = FactorizedRecurrent(model.get_submodule(module), factors), f"{module}.{next(iter(factors))}"
    return new


def load_factorized(model, path, strict=True):
    """Replaces the factorized layers of \`model\` and loads all weights from \`path\`. Returns the model."""
    tensors, metadata = read_checkpoint(str(path))
    wanted = model.state_dict().keys()
    tensors.update({name: tensors[kept] for name, kept in metadata.items() if name in wanted and name not in tensors and kept in tensors})
    for name, (layer, weight) in replacements(model, json.loads(metadata["${MODULES_KEY}"])).items():
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, layer.to(tensors[weight].dtype))
    model.load_state_dict(tensors, strict=strict)
    return model
`;
