"""Cuttlefish: train whole weights until their ranks settle, then go on in factors of those ranks.

Wang et al., "Cuttlefish: Low-Rank Model Training without All the Tuning", MLSys 2023, arXiv:2305.02538.

After each epoch the stable rank of every weight W with singular values s is measured, and scaled so that the weight at
initialisation counts as of full rank:

    stable(W) = (s_1^2 + s_2^2 + ...) / s_1^2,    scaled(W) = min(xi * stable(W), K),    xi = K / stable(W at the start),

K the shorter side of the matrix. A layer has settled when its smoothed stable rank changes by no more than `threshold` an
epoch. Once all layers have, each is replaced by two of inner rank ceil(scaled(W)), U S^(1/2) and S^(1/2) V^T, and the
optimizer goes on with these. Layers that would not become smaller stay whole.

    cuttlefish = Cuttlefish(model, optimizer)
    for epoch in range(epochs):
        for batch in batches:
            ...
            optimizer.step()
        cuttlefish.epoch_end()      # True in the epoch in which it switches

    lightning.Trainer(callbacks=[lightning_callback()])
    transformers.Trainer(..., callbacks=[trainer_callback()])

A model that has switched has other parameters. To load its checkpoint, build the model as before, call
`factorize(model, ranks)` with the `cuttlefish.ranks` of that run, then load.

Settings
    window      epochs over which stable ranks are smoothed (exponentially); no layer settles before
    last        newest changes of the smoothed stable rank whose mean decides
    threshold   the change an epoch at which a layer has settled
    latest      epoch after which it switches in any case; None waits for the layers
    layers      names or patterns ("blocks.*.fc1") of the layers to factorize. Without it: all Conv2d and Linear layers but
                the first convolution, the last linear layer, grouped convolutions, frozen weights, and weights that two
                modules share.

As in the authors' code (github.com/hwang595/Cuttlefish) the threshold is 2.5 times as high for the last but one layer
that has not settled and 5 times for the last, so that one restless layer does not hold up the rest.
Differences from it: stable ranks are not rounded down to integers, whose jumps hide or feign a change; weight decay stays
the optimizer's, on each factor (the paper decays their product); no normalisation is put between the factors; the layers
that stay whole are those named above, where the paper times the hardware.

Momenta of the replaced weights are dropped, all others stay. One process only: data parallel wrappers do not follow a
change of parameters. Needs torch >= 1.13 alone.
"""
import fnmatch
import importlib
import math
import sys

import torch
from torch import nn


def stable_rank(matrix):
    """Sum of the squared singular values over the largest of them; 0 for a zero matrix."""
    matrix = matrix.detach().double()
    largest = float(torch.linalg.matrix_norm(matrix, 2)) ** 2
    return float((matrix ** 2).sum()) / largest if largest > 0 else 0.0


def smoothed(series, window):
    """Exponential moving average that weighs the newest value by 2 / (window + 1)."""
    weight = 2 / (window + 1)
    values = [series[0]]
    for value in series[1:]:
        values.append(value * weight + values[-1] * (1 - weight))
    return values


def has_settled(series, window=15, last=11, threshold=0.1):
    """Whether a series of stable ranks, one an epoch, has settled."""
    if len(series) <= window:
        return False
    values = smoothed(series, window)
    # Central differences, one-sided at both ends, as numpy.gradient.
    inner = [(after - before) / 2 for before, after in zip(values, values[2:])]
    changes = [values[1] - values[0], *inner, values[-1] - values[-2]][-last:]
    return sum(abs(change) for change in changes) / len(changes) <= threshold


class Factored(nn.Sequential):
    """Two layers in the place of one. `weight` is their product, for code that looks at the layer's weight."""

    @property
    def weight(self):
        first, second = self[0].weight, self[1].weight
        return (second.flatten(1) @ first.flatten(1)).reshape(second.shape[0], *first.shape[1:])


@torch.no_grad()
def factored(layer, rank):
    """The two layers of inner rank `rank` that are nearest to a Linear or Conv2d layer."""
    weight = layer.weight.detach()
    matrix = weight.flatten(1).to(torch.promote_types(weight.dtype, torch.float32))
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    root = s[:rank].sqrt()
    out, into = (layer.out_features, layer.in_features) if isinstance(layer, nn.Linear) else (layer.out_channels, layer.in_channels)
    options = {"device": weight.device, "dtype": weight.dtype}
    if isinstance(layer, nn.Linear):
        pair = Factored(nn.Linear(into, rank, bias=False, **options), nn.Linear(rank, out, bias=False, **options))
    else:
        pair = Factored(
            nn.Conv2d(into, rank, layer.kernel_size, layer.stride, layer.padding, layer.dilation, bias=False, padding_mode=layer.padding_mode, **options),
            nn.Conv2d(rank, out, 1, bias=False, **options),
        )
    pair[0].weight.copy_((root[:, None] * vh[:rank]).reshape(pair[0].weight.shape))
    pair[1].weight.copy_((u[:, :rank] * root).reshape(pair[1].weight.shape))
    pair[1].bias = layer.bias  # The same parameter: what the optimizer knows of it stays.
    return pair.train(layer.training)


def is_smaller(weight, rank):
    """Whether two factors of this rank have fewer parameters than the weight."""
    rows, columns = weight.flatten(1).shape
    return rank * (rows + columns) < rows * columns


def factorize(model, ranks):
    """Replaces the layers named in `ranks` by pairs of these inner ranks. Returns (old weight, new weights) of each."""
    replaced = []
    for name, rank in ranks.items():
        parent, _, child = name.rpartition(".")
        owner = model.get_submodule(parent)
        layer = getattr(owner, child)
        pair = factored(layer, rank)
        setattr(owner, child, pair)
        replaced.append((layer.weight, [pair[0].weight, pair[1].weight]))
    return replaced


def _exchange(optimizers, replaced):
    """New parameters take the old ones' place in their group, with its learning rate and weight decay."""
    for optimizer in optimizers:
        for old, new in replaced:
            for group in optimizer.param_groups:
                places = [i for i, parameter in enumerate(group["params"]) if parameter is old]
                for i in places:
                    group["params"][i:i + 1] = new
            optimizer.state.pop(old, None)


def factorizable_layers(model, layers=None):
    """(name, layer) of the layers that may be factorized; `layers` as in the settings above."""
    # Subclasses have their own ways with their weights (attention's output, quantized layers).
    found = [(name, module) for name, module in model.named_modules()
             if type(module) in (nn.Linear, nn.Conv2d) and getattr(module, "groups", 1) == 1 and module.weight.requires_grad]
    if layers is not None:
        return [(name, module) for name, module in found if any(fnmatch.fnmatchcase(name, pattern) for pattern in layers)]
    convolutions = [module for _, module in found if isinstance(module, nn.Conv2d)]
    matrices = [module for _, module in found if isinstance(module, nn.Linear)]
    left_out = {id(module) for module in convolutions[:1] + matrices[-1:]}
    owners = {}
    for module in model.modules():
        for parameter in module._parameters.values():
            owners[id(parameter)] = owners.get(id(parameter), 0) + 1
    return [(name, module) for name, module in found if id(module) not in left_out and owners[id(module.weight)] == 1]


class Cuttlefish:
    """Call `epoch_end()` after each epoch. Make it before training: the scale is taken from the first weights."""

    RESTLESS = {2: 2.5, 1: 5.0}
    """How much higher the threshold is, by the number of layers that have not settled."""

    def __init__(self, model, optimizer, window=15, last=11, threshold=0.1, latest=None, layers=None):
        self.model = model
        self.optimizers = list(optimizer) if isinstance(optimizer, (list, tuple)) else [optimizer]
        self.window, self.last, self.threshold, self.latest = window, last, threshold, latest
        self.layers = factorizable_layers(model, layers)
        if not self.layers:
            raise ValueError("There is no layer to factorize. Name some with layers=[...]; factorized are Linear and ungrouped Conv2d.")
        self.scales = {name: min(layer.weight.flatten(1).shape) / max(stable_rank(layer.weight.flatten(1)), 1) for name, layer in self.layers}
        self.series = {name: [] for name, _ in self.layers}
        """Stable ranks of each layer, one an epoch."""
        self.settled = set()
        self.ranks = None
        """Once it has switched: the inner rank of each layer that was factorized, by name."""

    @classmethod
    def of(cls, model, optimizer, **settings):
        """The one that belongs to this optimizer, made at the first call: for functions that train one epoch."""
        if not hasattr(optimizer, "_cuttlefish"):
            optimizer._cuttlefish = cls(model, optimizer, **settings)
        return optimizer._cuttlefish

    def epoch_end(self):
        """Measures, and switches when all layers have settled. True in the epoch in which it does."""
        if self.ranks is not None:
            return False
        waiting = len(self.layers) - len(self.settled)
        threshold = self.threshold * self.RESTLESS.get(waiting, 1.0)
        for name, layer in self.layers:
            self.series[name].append(stable_rank(layer.weight.flatten(1)))
            if has_settled(self.series[name], self.window, self.last, threshold):
                self.settled.add(name)
        epochs = len(self.series[self.layers[0][0]])
        if len(self.settled) < len(self.layers) and (self.latest is None or epochs < self.latest):
            return False
        self._switch()
        return True

    def scaled_rank(self, name):
        """The inner rank that a layer has by its newest stable rank."""
        shorter = min(dict(self.layers)[name].weight.flatten(1).shape)
        return max(1, min(math.ceil(self.scales[name] * self.series[name][-1]), shorter))

    def _switch(self):
        if torch.distributed.is_available() and torch.distributed.is_initialized() and torch.distributed.get_world_size() > 1:
            raise RuntimeError("Cuttlefish changes the model's parameters, which data parallel training does not follow. Train on one process.")
        ranks = {name: self.scaled_rank(name) for name, _ in self.layers}
        self.ranks = {name: ranks[name] for name, layer in self.layers if is_smaller(layer.weight, ranks[name])}
        _exchange(self.optimizers, factorize(self.model, self.ranks))
        self.layers = []


def _callback_class(name, *packages):
    """The base class of the package that is in use; a plain object where there is none."""
    for package in sorted(packages, key=lambda package: package not in sys.modules):
        try:
            return getattr(importlib.import_module(package), name)
        except ImportError:
            continue
    return object


def lightning_callback(**settings):
    """A callback for Lightning's Trainer; the settings are those of Cuttlefish."""

    class CuttlefishCallback(_callback_class("Callback", "lightning.pytorch", "pytorch_lightning")):
        def on_train_start(self, trainer, pl_module):
            self.cuttlefish = Cuttlefish(pl_module, trainer.optimizers, **settings)

        def on_train_epoch_end(self, trainer, pl_module):
            self.cuttlefish.epoch_end()

    return CuttlefishCallback()


def trainer_callback(**settings):
    """A callback for the Trainer of Hugging Face transformers; the settings are those of Cuttlefish."""

    class CuttlefishCallback(_callback_class("TrainerCallback", "transformers")):
        def on_train_begin(self, args, state, control, model=None, optimizer=None, **kwargs):
            self.cuttlefish = Cuttlefish(model, optimizer, **settings)

        def on_epoch_end(self, args, state, control, **kwargs):
            self.cuttlefish.epoch_end()

    return CuttlefishCallback()
