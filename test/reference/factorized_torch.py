"""Trains nothing: builds a PyTorch model, writes its weights (make), or loads factorized weights and compares (check)."""
import importlib.util
import json
import struct
import sys

import numpy
import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(3)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(40, 12)
        self.conv_in = nn.Conv2d(1, 6, 3)
        self.conv_even = nn.Conv2d(6, 8, (4, 3), stride=(2, 1), padding=(1, 2), dilation=(1, 2))
        self.conv_same = nn.Conv2d(8, 8, 3, padding="same", padding_mode="circular", bias=False)
        self.conv1d = nn.Conv1d(12, 10, 5, stride=2, padding=1)
        self.conv3d = nn.Conv3d(8, 6, (2, 1, 3), padding=(1, 0, 0))
        self.fc1 = nn.Linear(10, 16)
        self.fc2 = nn.Linear(16, 16, bias=False)
        self.deconv = nn.ConvTranspose2d(8, 6, (3, 2), stride=(2, 3), padding=(1, 0), output_padding=(1, 2), dilation=(1, 2))
        self.lstm = nn.LSTM(16, 8, num_layers=2, batch_first=True)
        self.both = nn.GRU(8, 8, batch_first=True, bidirectional=True)
        self.cell = nn.GRUCell(16, 9)
        self.lm_head = nn.Linear(16, 5)

    def forward(self, tokens, image):
        text = self.conv1d(self.embed_tokens(tokens).transpose(1, 2))
        picture = self.conv_same(self.conv_even(self.conv_in(image)))
        volume = self.conv3d(picture[:, :, None].repeat(1, 1, 3, 1, 1))
        words = torch.tanh(self.fc1(text.transpose(1, 2)))
        rows, state = self.both(self.lstm(words, (torch.ones(2, len(words), 8), torch.ones(2, len(words), 8)))[0])
        packed = self.lstm(nn.utils.rnn.pack_padded_sequence(words, [3] * len(words), batch_first=True))[0].data
        last = self.cell(words[:, 0], self.cell(words[:, 1]))
        return torch.cat([part.flatten() for part in (self.lm_head(self.fc2(words)), picture, volume, self.deconv(picture), rows, state, packed, last)])


def write(path, tensors):
    header, data = {"__metadata__": {"format": "pt", "note": "kept"}}, b""
    for name, tensor in tensors.items():
        raw = tensor.detach().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


model = Model().eval()
if sys.argv[1] == "make":
    write(sys.argv[2], model.state_dict())
else:
    tokens, image = torch.arange(30).reshape(2, 15), torch.randn(2, 1, 14, 13)
    _, _, original, candidate, loader = sys.argv
    spec = importlib.util.spec_from_file_location("load_factorized", loader)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tensors, _ = module.read_safetensors(original)
    model.load_state_dict(tensors)
    with torch.no_grad():
        expected = model(tokens, image)
        tensors, metadata = module.read_safetensors(candidate)
        if "ranklens.modules" in metadata:
            module.load_factorized(model, candidate)
        else:
            model.load_state_dict(tensors)
        found = model(tokens, image)
    print(json.dumps({
        "error": float(torch.linalg.norm(found - expected) / torch.linalg.norm(expected)),
        "replaced": sorted(name for name, layer in model.named_modules() if isinstance(layer, nn.Sequential) or type(layer).__name__ == "FactorizedRecurrent"),
        "metadata": {key: value for key, value in metadata.items() if key != "ranklens.modules"},
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }))
