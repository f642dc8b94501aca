"""Layers of Keras against what torch.nn computes with the weights that are written for them. make FOLDER writes files as Keras does;
check FILE CANDIDATE LOADER prints errors as JSON. What Keras computes is written out in NumPy, from its documentation."""
import importlib.util
import json
import os
import sys

import h5py
import numpy
import torch
from torch import nn

torch.set_num_threads(1)
IN, UNITS, STEPS, HEADS, DIM = 7, 5, 6, 3, 4
random = numpy.random.default_rng(8)


def array(*shape):
    return random.standard_normal(shape).astype("<f4") * 0.5


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def keras_lstm(x, kernel, recurrent, bias):
    h = c = numpy.zeros(recurrent.shape[0])
    out = []
    for row in x:
        i, f, g, o = numpy.split(row @ kernel + h @ recurrent + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * numpy.tanh(g)
        h = sigmoid(o) * numpy.tanh(c)
        out.append(h)
    return numpy.array(out)


def keras_gru(x, kernel, recurrent, bias):
    """reset_after=True, whose bias is (2, 3 units)."""
    h = numpy.zeros(recurrent.shape[0])
    out = []
    for row in x:
        xz, xr, xh = numpy.split(row @ kernel + bias[0], 3)
        hz, hr, hh = numpy.split(h @ recurrent + bias[1], 3)
        z, r = sigmoid(xz + hz), sigmoid(xr + hr)
        h = z * h + (1 - z) * numpy.tanh(xh + r * hh)
        out.append(h)
    return numpy.array(out)


def keras_rnn(x, kernel, recurrent, bias):
    h = numpy.zeros(recurrent.shape[0])
    out = []
    for row in x:
        h = numpy.tanh(row @ kernel + h @ recurrent + bias)
        out.append(h)
    return numpy.array(out)


GATES = {"lstm": 4, "gru": 3, "simple_rnn": 1}


def recurrent_weights(kind, width=IN):
    gates = GATES[kind] * UNITS
    return {"kernel": array(width, gates), "recurrent_kernel": array(UNITS, gates), "bias": array(2, gates) if kind == "gru" else array(gates)}


def make(folder):
    with h5py.File(os.path.join(folder, "layers.h5"), "w") as file:
        def put(path, weights):
            for name, values in weights.items():
                file[f"{path}/{name}:0"] = values
        for kind in GATES:
            put(f"{kind}/{kind}/{kind}_cell", recurrent_weights(kind))
        for side, count in (("forward_lstm", 1), ("backward_lstm", 2)):
            put(f"bidirectional/bidirectional/{side}/lstm_cell_{count}", recurrent_weights("lstm"))
        old = recurrent_weights("gru")
        put("gru_9/gru_9/gru_cell_9", {**old, "bias": old["bias"][0]})
        for part in ("query", "key", "value"):
            put(f"multi_head_attention/multi_head_attention/{part}", {"kernel": array(IN, HEADS, DIM), "bias": array(HEADS, DIM)})
        put("multi_head_attention/multi_head_attention/attention_output", {"kernel": array(HEADS, DIM, IN), "bias": array(IN)})


def error(found, expected):
    return float(numpy.linalg.norm(found - expected) / numpy.linalg.norm(expected))


def loaded(path, loader_path, model):
    spec = importlib.util.spec_from_file_location("load_factorized", loader_path)
    loader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loader)
    tensors, metadata = loader.read_safetensors(path)
    if "ranklens.modules" in metadata:
        loader.load_factorized(model, path, strict=False)
    else:
        model.load_state_dict(tensors, strict=False)
    own = set(model.state_dict())
    return model.double(), sorted(own - set(tensors)), sorted(set(tensors) - own), tensors


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(IN, HEADS * DIM) for _ in range(3))
        self.attention_output = nn.Linear(HEADS * DIM, IN)

    def forward(self, x):
        q, k, v = (part(x).reshape(len(x), HEADS, DIM).transpose(0, 1) for part in (self.query, self.key, self.value))
        mixed = torch.softmax(q @ k.transpose(1, 2) / DIM ** 0.5, -1) @ v
        return self.attention_output(mixed.transpose(0, 1).flatten(1))


def keras_attention(x, weights):
    project = lambda part: numpy.einsum("ti,ihd->thd", x, weights[part]["kernel"]) + weights[part]["bias"]
    q, k, v = map(project, ("query", "key", "value"))
    scores = numpy.einsum("thd,shd->hts", q, k) / DIM ** 0.5
    scores = numpy.exp(scores - scores.max(-1, keepdims=True))
    mixed = numpy.einsum("hts,shd->thd", scores / scores.sum(-1, keepdims=True), v)
    return numpy.einsum("thd,hdo->to", mixed, weights["attention_output"]["kernel"]) + weights["attention_output"]["bias"]


def check(path, candidate, loader_path):
    groups = {}
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, item: groups.setdefault(name.rsplit("/", 1)[0], {}).update({name.rsplit("/", 1)[1][:-2]: item[()].astype(float)}) if isinstance(item, h5py.Dataset) else None)
    model = nn.ModuleDict({
        "lstm": nn.LSTM(IN, UNITS), "gru": nn.GRU(IN, UNITS), "simple_rnn": nn.RNN(IN, UNITS), "bidirectional": nn.LSTM(IN, UNITS, bidirectional=True),
        "multi_head_attention": Attention(),
    })
    model, missing, left, tensors = loaded(candidate, loader_path, model)
    x = random.standard_normal((STEPS, IN))
    sides = [groups[f"bidirectional/bidirectional/{side}"] for side in ("forward_lstm/lstm_cell_1", "backward_lstm/lstm_cell_2")]
    expected = {
        "lstm": keras_lstm(x, **weights_of(groups["lstm/lstm/lstm_cell"])), "gru": keras_gru(x, **weights_of(groups["gru/gru/gru_cell"])),
        "simple_rnn": keras_rnn(x, **weights_of(groups["simple_rnn/simple_rnn/simple_rnn_cell"])),
        "bidirectional": numpy.concatenate([keras_lstm(x, **weights_of(sides[0])), keras_lstm(x[::-1], **weights_of(sides[1]))[::-1]], 1),
        "multi_head_attention": keras_attention(x, {part: groups[f"multi_head_attention/multi_head_attention/{part}"] for part in ("query", "key", "value", "attention_output")}),
    }
    with torch.no_grad():
        found = {name: layer(torch.tensor(x)) for name, layer in model.items()}
    old = groups["gru_9/gru_9/gru_cell_9"]
    return {
        "errors": {name: error((value[0] if isinstance(value, tuple) else value).numpy(), expected[name]) for name, value in found.items()},
        "missing": missing, "left": left,
        "foreign": all(any(tensor.shape == values.shape and numpy.allclose(tensor.numpy(), values) for tensor in tensors.values()) for values in old.values()),
    }


def weights_of(group):
    return {"kernel": group["kernel"], "recurrent": group["recurrent_kernel"], "bias": group["bias"]}


def check_real(path, candidate, loader_path):
    """Every LSTM of a file of weights, cuDNN's among them: their columns are those of Keras's own layer after its conversion."""
    groups = {}
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, item: groups.setdefault(name.rsplit("/", 1)[0], {}).update({name.rsplit("/", 1)[1][:-2]: item[()].astype(float)}) if isinstance(item, h5py.Dataset) else None)
    errors = {}
    for name, group in groups.items():
        if "recurrent_kernel" not in group:
            continue
        width, units = group["kernel"].shape[0], group["recurrent_kernel"].shape[0]
        layer, missing, _, _ = loaded(candidate, loader_path, nn.ModuleDict({name.split("/")[0]: nn.LSTM(width, units)}))
        kernel, recurrent, bias = group["kernel"], group["recurrent_kernel"], group["bias"]
        if bias.shape == (8 * units,):
            # keras, saving/legacy/hdf5_format.py, _convert_rnn_weights, CuDNNLSTM to LSTM.
            kernel = numpy.hstack([part.reshape(part.T.shape, order="C").T for part in numpy.hsplit(kernel, 4)])
            recurrent = numpy.hstack([part.T for part in numpy.hsplit(recurrent, 4)])
            bias = numpy.sum(numpy.split(bias, 2), axis=0)
        x = random.standard_normal((9, width))
        with torch.no_grad():
            found = layer[name.split("/")[0]](torch.tensor(x))[0].numpy()
        errors[name.split("/")[0]] = error(found, keras_lstm(x, kernel, recurrent, bias)) if not missing else missing
    return errors


command, *arguments = sys.argv[1:]
print(json.dumps({"make": make, "check": check, "check-real": check_real}[command](*arguments)))
