"""Trained Rank Pruning: training that keeps the weights at low rank, so that factorizing them afterwards costs little.

Xu et al., "TRP: Trained Rank Pruning for Efficient Deep Neural Networks", IJCAI 2020, arXiv:2004.14566.

Every `period` steps each weight W is replaced by its best approximation of low rank,

    W <- T(W) = U_r S_r V_r^T,    r the smallest rank with  s_1^2 + ... + s_r^2 >= energy * (s_1^2 + s_2^2 + ...),

and at the same moment, as the singular vectors are at hand, the nuclear norm is reduced along its sub-gradient,

    W <- W - step * nuclear_weight * U_r V_r^T,    which takes step * nuclear_weight from each singular value kept.

Between truncations the whole weight trains: it may regain ranks that it needs. A truncation leaves W as it is once its
smallest singular value holds more than 1 - energy of the total, so at 0.9 a layer can settle at ten ranks or fewer.
Raise `energy` where wide layers lose too much.

    pruning = TrainedRankPruning(model, optimizer)
    for epoch in range(epochs):
        for batch in batches:
            ...
            optimizer.step()
            pruning.step()
        pruning.epoch_end()         # truncates, so that what is evaluated and saved is of low rank

    lightning.Trainer(callbacks=[lightning_callback()])
    transformers.Trainer(..., callbacks=[trainer_callback()])

Settings
    energy          share of the squared singular values that a truncation keeps
    period          optimizer steps between truncations
    nuclear_weight  weight of the nuclear norm; 0 leaves it out
    scheme          how a convolution becomes a matrix, and is factorized later:
                    "channel"  (out) x (in * height * width): a convolution to r channels, then a 1 x 1
                    "spatial"  (in * height) x (out * width): a vertical convolution, then a horizontal one
                    A linear layer is its own matrix.
    layers          names or patterns ("blocks.*.fc1") of the layers to prune. Without it: all convolutions and linear
                    layers but the first convolution, the last linear layer, grouped and transposed convolutions,
                    frozen weights, and weights that two modules share.

Differences from the authors' code (github.com/yuhuixu1993/Trained-Rank-Pruning)
    It adds the sub-gradient to the gradient. Here it moves the weights directly, as AdamW's weight decay does, so that
    Adam, gradient clipping, accumulation and mixed precision leave it alone; `step` is the learning rate over
    1 - momentum, what plain SGD with momentum makes of a constant gradient. No singular value falls below zero.
    Linear layers and 1 x 1 convolutions are pruned too. Factorizing is left to RankLens: the authors' code fails on
    layers with a bias and pads kernels other than 3 x 3 wrongly.

Weights must be whole on each process (data parallel is fine; FSDP and ZeRO stage 3 are not). Needs torch >= 1.13 alone.
"""
import fnmatch
import importlib
import sys

import torch
from torch import nn


def unfold(weight, scheme="channel"):
    """The matrix of a weight: linear (out, in) as it is, a convolution (out, in, height, width) by the scheme."""
    if weight.dim() == 2:
        return weight
    if scheme == "channel":
        return weight.reshape(weight.shape[0], -1)
    out, into, height, width = weight.shape
    return weight.permute(1, 2, 0, 3).reshape(into * height, out * width)


def fold(matrix, shape, scheme="channel"):
    """The weight of this shape whose matrix is `matrix`."""
    if len(shape) == 2 or scheme == "channel":
        return matrix.reshape(shape)
    out, into, height, width = shape
    return matrix.reshape(into, height, out, width).permute(2, 0, 1, 3)


def energy_rank(singular_values, energy):
    """The smallest number of leading singular values whose squares sum to `energy` of the total."""
    squares = singular_values.double() ** 2
    cumulated = squares.cumsum(0)
    return min(int((cumulated < energy * cumulated[-1]).sum()) + 1, len(squares))


def truncate(matrix, energy, shrink=0.0):
    """The matrix at its energy rank, each singular value that is kept `shrink` smaller, and that rank."""
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    rank = energy_rank(s, energy)
    kept = (s[:rank] - shrink).clamp(min=0)
    return (u[:, :rank] * kept) @ vh[:rank], rank


def prunable_layers(model, scheme="channel", layers=None):
    """(name, weight) of the layers that are pruned; `layers` as in the settings above."""
    found = [(name, module) for name, module in model.named_modules() if _is_prunable(module, scheme)]
    if layers is not None:
        return [(name, module.weight) for name, module in found if any(fnmatch.fnmatchcase(name, pattern) for pattern in layers)]
    convolutions = [module for _, module in found if not _is_matrix(module)]
    matrices = [module for _, module in found if _is_matrix(module)]
    left_out = {id(module) for module in convolutions[:1] + matrices[-1:]}
    owners = {}
    for module in model.modules():
        for parameter in module._parameters.values():
            owners[id(parameter)] = owners.get(id(parameter), 0) + 1
    return [(name, module.weight) for name, module in found if id(module) not in left_out and owners[id(module.weight)] == 1]


def _is_matrix(module):
    # Conv1D is the linear layer of GPT-2 in transformers, with its weight transposed: the ranks are the same.
    return isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"


def _is_prunable(module, scheme):
    weight = module._parameters.get("weight")
    if weight is None or not weight.requires_grad or not weight.is_floating_point():
        return False
    convolution = isinstance(module, nn.Conv2d) or (scheme == "channel" and isinstance(module, (nn.Conv1d, nn.Conv3d)))
    return (convolution and module.groups == 1) or (_is_matrix(module) and weight.dim() == 2)


class TrainedRankPruning:
    """Call `step()` after each `optimizer.step()`, and `epoch_end()` after each epoch."""

    def __init__(self, model, optimizer, energy=0.9, period=20, nuclear_weight=3e-4, scheme="channel", layers=None):
        if not 0 < energy <= 1:
            raise ValueError(f"energy is the share that is kept, above 0 and at most 1, not {energy}")
        if period < 1:
            raise ValueError(f"period is a number of steps, at least 1, not {period}")
        if scheme not in ("channel", "spatial"):
            raise ValueError(f'scheme is "channel" or "spatial", not {scheme!r}')
        self.optimizers = list(optimizer) if isinstance(optimizer, (list, tuple)) else [optimizer]
        self.energy, self.period, self.nuclear_weight, self.scheme = energy, period, nuclear_weight, scheme
        self.weights = prunable_layers(model, scheme, layers)
        if not self.weights:
            raise ValueError("There is no layer to prune. Name some with layers=[...]; pruned are Linear and ungrouped convolutions.")
        self.steps = 0
        self.ranks = {}
        """The rank of each layer at its last truncation, by name."""

    @classmethod
    def of(cls, model, optimizer, **settings):
        """The one that belongs to this optimizer, made at the first call: for functions that train one epoch."""
        if not hasattr(optimizer, "_trained_rank_pruning"):
            optimizer._trained_rank_pruning = cls(model, optimizer, **settings)
        return optimizer._trained_rank_pruning

    def step(self):
        """After each step of the optimizer: truncates in one step of `period`."""
        self.steps += 1
        if self.steps % self.period == 0:
            self._truncate(self.nuclear_weight)

    def epoch_end(self):
        """Truncates without touching the nuclear norm."""
        self._truncate(0.0)

    @torch.no_grad()
    def _truncate(self, nuclear_weight):
        for name, weight in self.weights:
            # Half precision has no SVD.
            matrix = unfold(weight, self.scheme).to(torch.promote_types(weight.dtype, torch.float32))
            if not bool(torch.isfinite(matrix).all()):
                continue  # The loss has diverged, or a scaler is about to skip: nothing to decompose.
            low, self.ranks[name] = truncate(matrix, self.energy, nuclear_weight * self._step_size(weight))
            weight.copy_(fold(low, weight.shape, self.scheme))

    def _step_size(self, weight):
        """Learning rate over 1 - momentum of the group that trains this weight; 0 where none does."""
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                if any(parameter is weight for parameter in group["params"]):
                    return group["lr"] / (1 - group.get("momentum", 0))
        return 0.0


def _callback_class(name, *packages):
    """The base class of the package that is in use; a plain object where there is none."""
    for package in sorted(packages, key=lambda package: package not in sys.modules):
        try:
            return getattr(importlib.import_module(package), name)
        except ImportError:
            continue
    return object


def lightning_callback(**settings):
    """A callback for Lightning's Trainer; the settings are those of TrainedRankPruning."""

    class TrainedRankPruningCallback(_callback_class("Callback", "lightning.pytorch", "pytorch_lightning")):
        def on_train_start(self, trainer, pl_module):
            self.pruning = TrainedRankPruning(pl_module, trainer.optimizers, **settings)
            self.seen = trainer.global_step

        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            if trainer.global_step != self.seen:  # Not while gradients are accumulated.
                self.seen = trainer.global_step
                self.pruning.step()

        def on_validation_start(self, trainer, pl_module):
            # Validation comes before the end of the epoch; before training there is a sanity check.
            if hasattr(self, "pruning"):
                self.pruning.epoch_end()

        def on_train_epoch_end(self, trainer, pl_module):
            self.pruning.epoch_end()

    return TrainedRankPruningCallback()


def trainer_callback(**settings):
    """A callback for the Trainer of Hugging Face transformers; the settings are those of TrainedRankPruning."""

    class TrainedRankPruningCallback(_callback_class("TrainerCallback", "transformers")):
        def on_train_begin(self, args, state, control, model=None, optimizer=None, **kwargs):
            self.pruning = TrainedRankPruning(model, optimizer, **settings)

        def on_step_end(self, args, state, control, **kwargs):
            self.pruning.step()

        def on_epoch_end(self, args, state, control, **kwargs):
            self.pruning.epoch_end()

        def on_train_end(self, args, state, control, **kwargs):
            self.pruning.epoch_end()

    return TrainedRankPruningCallback()
