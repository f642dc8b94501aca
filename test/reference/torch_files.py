"""Writes files with PyTorch, one for each way in which it stores tensors.

Usage: torch_files.py FOLDER
"""
import argparse
import collections
import os
import pathlib
import sys
import zipfile

import numpy
import torch

torch.manual_seed(7)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(11, 6)
        self.features = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.ReLU())
        self.rnn = torch.nn.LSTM(6, 5)
        self.head = torch.nn.Linear(6, 11, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, x):
        return self.head(self.embedding(x))


def rezipped(source, target, compression, root, order=None):
    """The same archive, packed in another way, with another folder; `order` swaps the bytes of float32 storages."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for name in old.namelist():
            inner = name.split("/", 1)[1]
            content = old.read(name)
            if order == "big" and inner.startswith("data/"):
                content = numpy.frombuffer(content, "<f4").astype(">f4").tobytes()
            new.writestr(f"{root}/{inner}", content)
        if order is not None:
            new.writestr(f"{root}/byteorder", order)


def strided():
    base = torch.randn(6, 10)
    block = torch.randn(4, 3, 5, 7)
    return {
        "transposed.weight": base.t(), "columns.weight": base[:, 2:7], "every_second.weight": base[::2, 1::3], "tail.weight": base[3:],
        "permuted.weight": block.permute(2, 0, 3, 1), "channels_last.weight": block.to(memory_format=torch.channels_last),
        "half.weight": torch.randn(5, 9).half().t(), "double.weight": torch.randn(5, 9).double()[:, ::2], "whole.weight": base,
    }


def quantized():
    weight = torch.randn(6, 20)
    scales, zeros = torch.rand(6) + 0.01, torch.randint(-9, 9, (6,))
    return {
        "per_tensor.weight": torch.quantize_per_tensor(weight, 0.037, 5, torch.qint8),
        "unsigned.weight": torch.quantize_per_tensor(weight, 0.05, 128, torch.quint8),
        "wide.weight": torch.quantize_per_tensor(weight, 1e-5, 0, torch.qint32),
        "per_channel.weight": torch.quantize_per_channel(weight, scales.double(), zeros, 0, torch.qint8),
        "float_points.weight": torch.quantize_per_channel(weight, scales, torch.rand(6) * 9, 0, torch.quint8),
        "per_column.weight": torch.quantize_per_channel(weight, torch.rand(20).double() + 0.01, torch.zeros(20, dtype=torch.long), 1, torch.qint8),
    }


def dtypes():
    weight = torch.randn(7, 9)
    out = {f"{name}.weight": weight.to(getattr(torch, name)) for name in ["float16", "bfloat16", "float32", "float64"]}
    out.update({f"{name}.weight": (weight * 9).to(getattr(torch, name)) for name in ["int8", "uint8", "int16", "int32", "int64", "bool"]})
    out["complex64.weight"] = torch.complex(weight, weight)
    out["sparse.weight"] = weight.to_sparse()
    out["empty.weight"] = torch.zeros(0, 4)
    out["scalar"] = torch.tensor(3.0)
    out["special.weight"] = torch.tensor([[0.0, -0.0, 1e-45, float("inf")], [float("-inf"), 3e38, -1e-38, 1.0], [1, 2, 3, 4], [5, 6, 7, 8]])
    return out


class Small(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(8, 6)

    def forward(self, x):
        return self.fc(x)


def lightning(net):
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.tensor([1, 2])).sum().backward()
    optimizer.step()
    return {
        "epoch": 3, "global_step": 1000, "pytorch-lightning_version": "1.9.0", "state_dict": net.state_dict(), "optimizer_states": [optimizer.state_dict()],
        "lr_schedulers": [], "hyper_parameters": argparse.Namespace(lr=0.1, path=pathlib.PurePosixPath("/data")), "rng_state": torch.get_rng_state(),
        "counts": collections.Counter("abca"), "callbacks": {"best": torch.tensor(0.5)},
    }


def main(folder):
    at = lambda name: os.path.join(folder, name)
    net = Net()
    state = net.state_dict()
    torch.save(state, at("state_dict.pt"))
    torch.save(state, at("state_dict_legacy.pt"), _use_new_zipfile_serialization=False)
    torch.save(state, at("state_dict_protocol4.pt"), pickle_protocol=4)
    torch.save(state, at("state_dict_protocol5_legacy.bin"), pickle_protocol=5, _use_new_zipfile_serialization=False)
    torch.save({f"module.{key}": value for key, value in state.items()}, at("data_parallel.pth"))
    torch.save(strided(), at("strided.pt"))
    torch.save(strided(), at("strided_legacy.pt"), _use_new_zipfile_serialization=False)
    torch.save(quantized(), at("quantized.pt"))
    torch.save(quantized(), at("quantized_legacy.pt"), _use_new_zipfile_serialization=False)
    torch.save(dtypes(), at("dtypes.pt"))
    torch.save(lightning(Net()), at("lightning.ckpt"))
    torch.save(net, at("module.pt"))
    torch.save(net, at("module_legacy.pt"), _use_new_zipfile_serialization=False)
    torch.save({"model": {"state_dict": state}}, at("nested.pth"))
    torch.save([state["head.weight"].clone(), (torch.randn(4, 8), [torch.randn(8, 4)])], at("list.pt"))
    torch.jit.script(Net().eval()).save(at("script.pt"))
    dynamic = torch.quantization.quantize_dynamic(Small(), {torch.nn.Linear}, dtype=torch.qint8)
    torch.save(dynamic.state_dict(), at("dynamic.pt"))
    torch.jit.script(dynamic).save(at("dynamic_script.pt"))
    torch.save(torch.optim.SGD(net.parameters(), 0.1), at("optimizer.pt"))
    torch.save({key: value for key, value in state.items() if value.is_floating_point()}, at("floats.pt"))
    rezipped(at("floats.pt"), at("deflated.pt"), zipfile.ZIP_DEFLATED, "any other name")
    rezipped(at("floats.pt"), at("big_endian.pt"), zipfile.ZIP_STORED, "archive", "big")


if __name__ == "__main__":
    main(sys.argv[1])
