"""Recurrent layers of every kind in PyTorch: writes their weights (make), or loads factorized ones and compares (check). Prints JSON."""
import importlib.util
import itertools
import json
import struct
import sys

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

# Layers of a few units: threads would wait for each other longer than they compute.
torch.set_num_threads(1)
IN, HIDDEN, STEPS, BATCH = 7, 5, 6, 4
LENGTHS = torch.tensor([3, 6, 1, 6])


def layers():
    """Name → module: kind, layers and directions in its name."""
    torch.manual_seed(3)
    made = {}
    for kind, count, both, batch_first in itertools.product(("LSTM", "GRU", "RNN"), (1, 2), (False, True), (False, True)):
        name = f"{kind.lower()}_{count}{'_both' if both else ''}{'_first' if batch_first else ''}"
        made[name] = getattr(nn, kind)(IN, HIDDEN, count, batch_first=batch_first, bidirectional=both, bias=not (both and batch_first))
    made["projected"] = nn.LSTM(IN, HIDDEN, 2, proj_size=3, bidirectional=True, dropout=0.3)
    made["relu"] = nn.RNN(IN, HIDDEN, nonlinearity="relu", bidirectional=True)
    made.update(lstm_cell=nn.LSTMCell(IN, HIDDEN), gru_cell=nn.GRUCell(IN, HIDDEN, bias=False), rnn_cell=nn.RNNCell(IN, HIDDEN, nonlinearity="relu"))
    return nn.ModuleDict(made).double().eval()


def flat(result):
    if isinstance(result, PackedSequence):
        return result.data.flatten()
    return torch.cat([flat(part) for part in result]) if isinstance(result, (tuple, list)) else result.flatten()


def state_of(layer, batch):
    torch.manual_seed(5)
    sizes = [layer.proj_size or layer.hidden_size, layer.hidden_size]
    lead = () if isinstance(layer, nn.RNNCellBase) else (layer.num_layers * (2 if layer.bidirectional else 1),)
    parts = [torch.randn(*lead, *batch, size, dtype=torch.double) for size in sizes]
    return tuple(parts) if "LSTM" in type(layer).__name__ else parts[0]


def outputs(layer, original):
    """Everything that it can be called with. `original` tells what it was."""
    torch.manual_seed(4)
    x = torch.randn(STEPS, BATCH, IN, dtype=torch.double)
    if isinstance(original, nn.RNNCellBase):
        original.proj_size = 0
        return {"batch": flat(layer(x[0])), "state": flat(layer(x[0], state_of(original, (BATCH,)))), "one": flat(layer(x[0, 0]))}
    batch_first = original.batch_first
    given = x.transpose(0, 1) if batch_first else x
    state = state_of(original, (BATCH,))
    sorted_lengths = torch.tensor([6, 4, 4, 2])
    return {
        "batch": flat(layer(given)), "state": flat(layer(given, state)), "one": flat(layer(x[:, 0])), "one with a state": flat(layer(x[:, 0], state_of(original, ()))),
        "packed": flat(layer(pack_padded_sequence(given, LENGTHS, batch_first, enforce_sorted=False), state)),
        "sorted": flat(layer(pack_padded_sequence(given, sorted_lengths, batch_first))),
    }


def write(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.detach().numpy().tobytes()
        header[name] = {"dtype": "F64", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


if sys.argv[1] == "make":
    write(sys.argv[2], layers().state_dict())
else:
    _, _, original, candidate, path = sys.argv
    spec = importlib.util.spec_from_file_location("load_factorized", path)
    loader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loader)
    expected, found = layers(), layers()
    expected.load_state_dict(loader.read_safetensors(original)[0])
    tensors, metadata = loader.read_safetensors(candidate)
    if "ranklens.modules" in metadata:
        loader.load_factorized(found, candidate)
    else:
        found.load_state_dict(tensors)
    result = {}
    with torch.no_grad():
        for name, layer in expected.items():
            one, other = outputs(layer, layer), outputs(found[name], layer)
            result[name] = {how: float(torch.linalg.norm(other[how] - value) / torch.linalg.norm(value)) for how, value in one.items()}
    print(json.dumps({"errors": result, "replaced": sorted(name for name, layer in found.items() if type(layer).__name__ == "FactorizedRecurrent"),
                      "parameters": sum(parameter.numel() for parameter in found.parameters())}))
