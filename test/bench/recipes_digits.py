"""Networks for the 8x8 digits that ship with scikit-learn, trained with and without recipes.

    train FOLDER EPOCHS SEED...      writes FOLDER/WAY-SEED.safetensors, WAY being plain or trp; prints its test accuracy
    others FOLDER EPOCHS SEED...     trains with each recipe; prints test accuracy, parameters, the largest condition number of a weight
    evaluate FOLDER FILE...          test accuracy and parameters of factorized files, loaded by the script beside them

Answers are JSON. One thread and fixed seeds: a second run gives the same figures on the same machine.
"""
import importlib.util
import json
import pathlib
import struct
import sys

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "src/training/recipes/python"))
from cuttlefish import Cuttlefish
from low_rank_training import DynamicalLowRank
from orthonormal_penalty import OrthonormalPenalty, condition_number, penalized_weights
from trained_rank_pruning import TrainedRankPruning

ENERGY = 0.95
WIDTH = 16
BATCH = 64

torch.set_num_threads(1)
digits = load_digits()
images, labels = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16, torch.tensor(digits.target)
# Two fifths are kept for testing, so that one image is 0.14 % of the accuracy.
train_images, test_images, train_labels, test_labels = [torch.as_tensor(part) for part in train_test_split(images, labels, test_size=0.4, random_state=0, stratify=digits.target)]


def network():
    return nn.Sequential(
        nn.Conv2d(1, WIDTH, 3, padding=1), nn.ReLU(),
        nn.Conv2d(WIDTH, 2 * WIDTH, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(2 * WIDTH, 4 * WIDTH, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * WIDTH, 4 * WIDTH), nn.ReLU(), nn.Linear(4 * WIDTH, 10),
    )


def accuracy(model):
    """Per cent of the test images."""
    model.eval()
    with torch.no_grad():
        return 100 * (model(test_images).argmax(1) == test_labels).double().mean().item()


def trained(seed, epochs, *recipes):
    torch.manual_seed(seed)
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    active = [make(model, optimizer) for make in recipes]
    for _ in range(epochs):
        model.train()
        for batch in torch.randperm(len(train_images)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(train_images[batch]), train_labels[batch]).backward()
            optimizer.step()
            for recipe in active:
                getattr(recipe, "step", lambda: None)()
        schedule.step()
        for recipe in active:
            getattr(recipe, "epoch_end", lambda: None)()
    return model


def pruning(model, optimizer):
    return TrainedRankPruning(model, optimizer, energy=ENERGY)


def settling(model, optimizer):
    return Cuttlefish(model, optimizer)


def low_rank(model, optimizer):
    return DynamicalLowRank(model, optimizer)


def orthonormal(model, optimizer):
    return OrthonormalPenalty(model, optimizer)


OTHERS = {"none": [], "Cuttlefish": [settling], "DLRT": [low_rank], "orthonormal penalty": [orthonormal]}


def write(path, tensors):
    """The format in full: u64 header length, JSON header, tensors back to back."""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in tensors.items():
        raw = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def size(model):
    return sum(parameter.numel() for parameter in model.parameters())


command, folder, *rest = sys.argv[1:]
folder = pathlib.Path(folder)
answer = {}
if command == "train":
    for seed in map(int, rest[1:]):
        for way, recipes in (("plain", []), ("trp", [pruning])):
            model = trained(seed, int(rest[0]), *recipes)
            write(folder / f"{way}-{seed}.safetensors", model.state_dict())
            answer[f"{way}-{seed}"] = {"accuracy": accuracy(model), "parameters": size(model)}
elif command == "others":
    for way, recipes in OTHERS.items():
        answer[way] = []
        for seed in map(int, rest[1:]):
            model = trained(seed, int(rest[0]), *recipes)
            for index, layer in enumerate(model):
                if hasattr(layer, "two_layers"):
                    model[index] = layer.two_layers()
            conditions = [condition_number(weight) for _, weight in penalized_weights(model)]
            answer[way].append({"accuracy": accuracy(model), "parameters": size(model), "condition": max(conditions)})
else:
    spec = importlib.util.spec_from_file_location("load_factorized", folder / "load_factorized.py")
    loader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loader)
    for file in rest:
        model = loader.load_factorized(network(), folder / file)
        answer[file] = {"accuracy": accuracy(model), "parameters": size(model)}
print(json.dumps(answer))
