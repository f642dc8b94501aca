"""Sources and outputs of factorization against PyTorch, h5py and NumPy. Prints JSON."""
import importlib.util
import json
import os
import re
import struct
import sys

import h5py
import numpy
import torch
from torch import nn

torch.manual_seed(5)
CODES = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64"}


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(12, 20)
        self.fc2 = nn.Linear(20, 12, bias=False)

    def forward(self, x):
        return self.fc2(torch.tanh(self.fc1(x)))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(30, 12)
        self.blocks = nn.ModuleList([Block(), Block()])
        self.conv = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.up = nn.ConvTranspose2d(6, 5, (3, 2), stride=2)
        self.head = nn.Linear(12, 30, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, tokens, image):
        x = self.embed(tokens)
        for block in self.blocks:
            x = x + block(x)
        return torch.cat([self.head(x).flatten(), self.up(self.norm(self.conv(image))).flatten()])


def inputs():
    torch.manual_seed(6)
    return torch.randint(0, 30, (2, 7)), torch.randn(2, 4, 9, 8)


def write(path, tensors, metadata):
    header, data = {"__metadata__": metadata}, b""
    for name, tensor in tensors.items():
        raw = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": CODES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def loader_of(path):
    spec = importlib.util.spec_from_file_location("load_factorized", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made():
    torch.manual_seed(5)
    return Model().eval()


def make_checkpoint(path):
    """A training checkpoint: tied weights, a transposed one, integers, and an optimizer beside the model."""
    model = made()
    model.blocks[0].fc2.weight = nn.Parameter(model.blocks[0].fc2.weight.detach().t().contiguous().t())
    optimizer = torch.optim.Adam(model.parameters())
    model(*inputs()).sum().backward()
    optimizer.step()
    torch.save({"state_dict": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}, path)


def make_quantized(path):
    """Weights quantized by PyTorch, in one scale and in one for each output."""
    values = torch.randn(6, 10)
    torch.save({"one.weight": torch.quantize_per_tensor(values, 0.02, 3, torch.qint8),
                "each.weight": torch.quantize_per_channel(values, torch.rand(6).double() / 50 + 0.01, torch.zeros(6, dtype=torch.long), 0, torch.qint8)}, path)


def check_quantized(original, candidate, loader):
    tensors, _ = loader_of(loader).read_safetensors(candidate)
    return {name: bool(torch.equal(values.dequantize(), tensors[name])) for name, values in torch.load(original).items()}


def make_shards(folder):
    """Two files and their index; the bias of a layer is in another file than its weight. The tied head is named in the metadata."""
    tensors = dict(made().state_dict())
    del tensors["head.weight"]
    first = {name: tensor for name, tensor in tensors.items() if name.startswith("embed") or name.endswith("fc1.weight")}
    second = {name: tensor for name, tensor in tensors.items() if name not in first}
    for number, part in enumerate((first, second), 1):
        write(os.path.join(folder, f"model-0000{number}-of-00002.safetensors"), part, {"format": "pt", **({"head.weight": "embed.weight"} if number == 1 else {})})
    index = {name: f"model-0000{1 if name in first else 2}-of-00002.safetensors" for name in tensors}
    with open(os.path.join(folder, "model.safetensors.index.json"), "w") as file:
        json.dump({"metadata": {"total_size": 1}, "weight_map": index}, file)
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump({"model_type": "made"}, file)


def reference(path):
    model = made()
    if path.endswith(".pt"):
        model.load_state_dict(torch.load(path)["state_dict"])
    return model


def error(found, expected):
    return float(torch.linalg.norm(found - expected) / torch.linalg.norm(expected))


def check_loaded(original, candidate):
    """The candidate as its own loader loads it, and every tensor that was not factorized, bit by bit."""
    expected, loader = reference(original), loader_of(os.path.join(os.path.dirname(candidate), "load_factorized.py"))
    tensors, _ = loader.read_checkpoint(candidate)
    old = expected.state_dict()
    kept = {name: bool(torch.equal(old[name], tensors[name]) and old[name].dtype == tensors[name].dtype) for name in tensors if name in old}
    model = loader.load_factorized(made(), candidate)
    with torch.no_grad():
        return {"error": error(model(*inputs()), expected(*inputs())), "kept": kept, "written": sorted(tensors),
                "replaced": sorted(name for name, layer in model.named_modules() if isinstance(layer, nn.Sequential))}


def check_adapter(original, base, folder, loader):
    """PEFT's formula, written out: y = base(x) + (alpha / r) B(A(x))."""
    read = loader_of(loader).read_checkpoint
    expected, model = reference(original), made()
    tensors, _ = read(base)
    tensors.setdefault("head.weight", tensors["embed.weight"])
    model.load_state_dict(tensors)
    adapter, _ = read(os.path.join(folder, "adapter_model.safetensors"))
    with open(os.path.join(folder, "adapter_config.json")) as file:
        config = json.load(file)
    with torch.no_grad():
        without = error(model(*inputs()), expected(*inputs()))
        for name, module in list(model.named_modules()):
            if name not in config["target_modules"]:
                continue
            find = lambda pattern, default: next((value for key, value in pattern.items() if re.match(rf"(.*\.)?({key})$", name)), default)
            scale = find(config["alpha_pattern"], config["lora_alpha"]) / find(config["rank_pattern"], config["r"])
            if isinstance(module, nn.Embedding):
                a, b = (adapter.pop(f"base_model.model.{name}.lora_embedding_{side}") for side in "AB")
                module.register_forward_hook(lambda _, x, y, a=a, b=b, s=scale: y + s * nn.functional.embedding(x[0], a.T) @ b.T)
                continue
            a, b = (adapter.pop(f"base_model.model.{name}.lora_{side}.weight") for side in "AB")
            if isinstance(module, nn.Conv2d):
                module.register_forward_hook(lambda m, x, y, a=a, b=b, s=scale: y + s * nn.functional.conv2d(nn.functional.conv2d(x[0], a, None, m.stride, m.padding, m.dilation), b))
            else:
                module.register_forward_hook(lambda _, x, y, a=a, b=b, s=scale: y + s * (x[0] @ a.T) @ b.T)
        return {"error": error(model(*inputs()), expected(*inputs())), "without": without, "targets": config["target_modules"], "left": list(adapter)}


def correlate(x, kernel):
    """What Keras computes: y[h, w, o] = sum over i, j, c of x[h + i, w + j, c] K[i, j, c, o]."""
    height, width = x.shape[0] - kernel.shape[0] + 1, x.shape[1] - kernel.shape[1] + 1
    return sum(numpy.einsum("hwc,co->hwo", x[i:i + height, j:j + width], kernel[i, j]) for i in range(kernel.shape[0]) for j in range(kernel.shape[1]))


def check_keras(original, candidate, loader):
    """Kernels of a Keras file against the written ones, by what torch.nn.functional computes with them."""
    tensors, _ = loader_of(loader).read_safetensors(candidate)
    worst, same, kinds = 0.0, True, set()
    random = numpy.random.default_rng(3)
    with h5py.File(original, "r") as file:
        datasets = {}
        file["model_weights"].visititems(lambda name, item: datasets.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    for name, values in datasets.items():
        layer, variable = name.split("/")[0], name.split("/")[-1].split(":")[0]
        torch_name = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var", "kernel": "weight", "depthwise_kernel": "weight"}.get(variable, variable)
        found = tensors.pop(f"{layer}.{torch_name}")
        if variable == "kernel" and values.ndim == 2:
            x = random.standard_normal(values.shape[0])
            pair = x @ values, nn.functional.linear(torch.tensor(x), found.double()).numpy()
        elif variable == "kernel":
            x = random.standard_normal((7, 6, values.shape[2]))
            pair = correlate(x, values), nn.functional.conv2d(torch.tensor(x).permute(2, 0, 1)[None], found.double())[0].permute(1, 2, 0).numpy()
        elif variable == "depthwise_kernel":
            x = random.standard_normal((7, 6, values.shape[2]))
            each = [correlate(x[:, :, c:c + 1], values[:, :, c:c + 1]) for c in range(values.shape[2])]
            pair = numpy.concatenate(each, 2), nn.functional.conv2d(torch.tensor(x).permute(2, 0, 1)[None], found.double(), groups=values.shape[2])[0].permute(1, 2, 0).numpy()
        else:
            same = same and numpy.array_equal(values, found.numpy())
            continue
        kinds.add(variable + str(values.ndim))
        worst = max(worst, float(numpy.linalg.norm(pair[0] - pair[1]) / numpy.linalg.norm(pair[0])))
    return {"worst": worst, "same": bool(same), "kinds": sorted(kinds), "left": sorted(tensors)}


def check_arrays(original, candidate, loader):
    """Arrays of a .npz against the written ones, by shape and values."""
    tensors, _ = loader_of(loader).read_safetensors(candidate)
    arrays = numpy.load(original)
    values = sorted((array.shape, array.dtype.str, array.tobytes()) for array in arrays.values())
    return {"same": values == sorted((tuple(each.shape), each.numpy().dtype.str, each.numpy().tobytes()) for each in tensors.values()), "names": sorted(tensors)}


COMMANDS = {"make-quantized": make_quantized, "check-quantized": check_quantized, "make-checkpoint": make_checkpoint, "make-shards": make_shards, "check-loaded": check_loaded, "check-adapter": check_adapter, "check-keras": check_keras, "check-arrays": check_arrays}
print(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])))
