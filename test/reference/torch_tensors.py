"""What PyTorch finds in files: every tensor, as JSON on stdout, a list for each file.

Usage: torch_tensors.py FILE... For each tensor that torch.load (torch.jit.load for a TorchScript archive) gives: its name, by
keys, positions and the names of state_dict(); its shape; and the SHA-256 of its values as float32 (float64 for float64) in
row-major order, dequantized. Null where it is no dense tensor of floats.
"""
import hashlib
import json
import sys
import zipfile

import torch
# Modules that torch_files.py saved whole need their class here.
from torch_files import Net  # noqa: F401


def sha(tensor):
    if tensor.is_sparse or tensor.is_complex():
        return None
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if not tensor.is_floating_point():
        return None
    wide = tensor if tensor.dtype == torch.float64 else tensor.to(torch.float32)
    return hashlib.sha256(wide.detach().contiguous().numpy().tobytes()).hexdigest()


def walk(value, name, found):
    """Appends (name, tensor) for every tensor inside of a value."""
    if torch.is_tensor(value):
        found.append((name, value))
        return
    below = f"{name}." if name else ""
    if isinstance(value, torch.optim.Optimizer):
        walk({"state": value.state, "param_groups": value.param_groups}, name, found)
    elif isinstance(value, torch.nn.Module):
        for key, item in value.state_dict().items():
            walk(item, below + key, found)
    elif isinstance(value, dict):
        for key, item in value.items():
            walk(item, below + str(key), found)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            walk(item, below + str(index), found)
    elif hasattr(value, "__dict__"):
        walk(vars(value), name, found)


def is_script(path):
    return zipfile.is_zipfile(path) and any(name.endswith("/constants.pkl") for name in zipfile.ZipFile(path).namelist())


def tensors_of(path):
    found = []
    if is_script(path):
        script = torch.jit.load(path, map_location="cpu")
        for name, tensor in [*script.named_parameters(), *script.named_buffers()]:
            walk(tensor, name, found)
        for name, module in script.named_modules():
            if name.endswith("._packed_params"):
                walk(module._weight_bias(), f"{name}._packed_params", found)
    else:
        walk(torch.load(path, map_location="cpu"), "", found)
    return found


def described(name, tensor):
    return {"name": name, "shape": list(tensor.shape), "sha": sha(tensor)}


if __name__ == "__main__":
    json.dump([[described(*found) for found in tensors_of(path)] for path in sys.argv[1:]], sys.stdout)
