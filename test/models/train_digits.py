"""Trains the two models of the sample workspace on the 8x8 digits that ship with scikit-learn.

Run with Debian's python3-torch, python3-sklearn and python3-yaml:
    /usr/bin/python3 test/models/train_digits.py
It reads workspace/train.yaml and writes workspace/digits_cnn.onnx and workspace/digits_mlp.safetensors.
The seeds are fixed and one thread is used, so a second run writes the same bytes on the same machine.
"""
import json
import pathlib
import struct

import torch
import yaml
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

HERE = pathlib.Path(__file__).parent / "workspace"


def cnn(width: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(2 * width * 4, 64), nn.ReLU(), nn.Linear(64, 10),
    )


class MLP(nn.Module):
    """Residual blocks, so that the model map has something to repeat over."""

    def __init__(self, width: int, blocks: int) -> None:
        super().__init__()
        self.embed = nn.Linear(64, width)
        self.layers = nn.ModuleList(
            nn.ModuleDict({"norm": nn.LayerNorm(width), "up_proj": nn.Linear(width, 2 * width), "down_proj": nn.Linear(2 * width, width)})
            for _ in range(blocks)
        )
        self.head = nn.Linear(width, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.embed(x.flatten(1))
        for layer in self.layers:
            x = x + layer["down_proj"](torch.relu(layer["up_proj"](layer["norm"](x))))
        return self.head(x)


def train(model: nn.Module, data, settings: dict) -> float:
    x_train, x_test, y_train, y_test = data
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings["lr"], weight_decay=settings["weight_decay"])
    for _ in range(settings["epochs"]):
        model.train()
        for batch in torch.randperm(len(x_train)).split(settings["batch_size"]):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x_train[batch]), y_train[batch]).backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        return (model(x_test).argmax(1) == y_test).float().mean().item()


def save_safetensors(path: pathlib.Path, model: nn.Module) -> None:
    """The format in full: u64 header length, JSON header, tensors back to back."""
    header, body = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in model.state_dict().items():
        data = tensor.contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def main() -> None:
    torch.set_num_threads(1)
    config = yaml.safe_load((HERE / "train.yaml").read_text())
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
    y = torch.tensor(digits.target)
    data = [torch.as_tensor(part) for part in train_test_split(x, y, test_size=0.25, random_state=0, stratify=digits.target)]
    torch.manual_seed(config["seed"])
    network = cnn(config["cnn"]["width"])
    print(f"digits_cnn: test accuracy {train(network, data, config['training']):.3f}")
    torch.onnx.export(network, data[0][:1], str(HERE / "digits_cnn.onnx"), input_names=["image"], output_names=["scores"],
                      dynamic_axes={"image": {0: "batch"}, "scores": {0: "batch"}}, opset_version=13)
    torch.manual_seed(config["seed"])
    network = MLP(config["mlp"]["width"], config["mlp"]["blocks"])
    print(f"digits_mlp: test accuracy {train(network, data, config['training']):.3f}")
    save_safetensors(HERE / "digits_mlp.safetensors", network)


if __name__ == "__main__":
    main()
