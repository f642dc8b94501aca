"""Orthonormal penalty: training that keeps the singular values of each weight close to each other.

Savostianova et al., "Robust low-rank training via approximate orthonormal constraints", NeurIPS 2023, arXiv:2306.01485:
low-rank training lets singular values, and with them the condition number s_1 / s_k, grow without bound, and the network
becomes fragile; weights that are orthonormal up to a scale do not. The penalty is that of Schotthoefer et al.,
"Dynamical Low-Rank Compression of Neural Networks with Robustness under Adversarial Attacks", arXiv:2505.08022, squared
and made independent of the weight's size:

    P(W) = |W W^T / a - I|^2 / 4,    a = |W|_F^2 / k the mean of the k squared singular values,
    W <- W - step * weight * D,      D = a * gradient of P = (G - b I) W,    G = W W^T / a,    b = |G|_F^2 / k

with W turned so that it has no more rows (k) than columns. P is 0 exactly when all singular values are equal, whatever
their size; D is orthogonal to W, so that its size is the loss's affair. With scale="one", a = b = 1: the singular values
are drawn to 1 (the soft orthogonality of Bansal et al., NeurIPS 2018, arXiv:1810.09102).

    penalty = OrthonormalPenalty(model, optimizer)
    for batch in batches:
        ...
        optimizer.step()
        penalty.step()

    lightning.Trainer(callbacks=[lightning_callback()])
    transformers.Trainer(..., callbacks=[trainer_callback()])

Meant for factors: those that `cuttlefish` or `low_rank_training` (after its `finish()`) leave, or those of a model that
RankLens has factorized. On a whole weight it works against low rank: it is the opposite of a nuclear norm.

Settings
    weight  of the penalty. The weights move directly, as by AdamW's weight decay, by the learning rate times this, so that
            Adam, clipping, accumulation and mixed precision leave it alone.
    scale   "own" draws the singular values of a weight to their own mean, "one" draws them to 1
    layers  names or patterns ("blocks.*.fc1") of the layers. Without it: all convolutions and linear layers but the last
            linear layer, grouped and transposed convolutions and frozen weights.

Weights must be whole on each process (data parallel is fine; FSDP and ZeRO stage 3 are not). Needs torch >= 1.13 alone.
"""
import fnmatch
import importlib
import sys

import torch
from torch import nn

LARGEST_STEP = 0.5
"""Times a / s_1^2: longer steps would overshoot, as s_1 moves by step * (s_1^2 / a - b) * s_1."""


def short_side_first(weight):
    """The matrix of a weight with no more rows than columns; a convolution (out, in, ...) is out x (in * ...)."""
    matrix = weight.flatten(1)
    return matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T


def penalty(weight, scale="own"):
    """P(W), for whoever wants to add it to a loss, or to watch it."""
    matrix = short_side_first(weight)
    a = (matrix ** 2).sum() / matrix.shape[0] if scale == "own" else 1.0
    identity = torch.eye(matrix.shape[0], device=matrix.device, dtype=matrix.dtype)
    return ((matrix @ matrix.T / a - identity) ** 2).sum() / 4


def direction(matrix, scale="own"):
    """D, and a bound of s_1^2 / a."""
    a = (matrix ** 2).sum() / matrix.shape[0] if scale == "own" else 1.0
    gram = matrix @ matrix.T / a
    b = (gram ** 2).sum() / matrix.shape[0] if scale == "own" else 1.0
    return gram @ matrix - b * matrix, torch.linalg.norm(gram)


def condition_number(weight):
    """Largest over smallest singular value."""
    s = torch.linalg.svdvals(weight.detach().flatten(1).double())
    return float(s[0] / s[-1])


def penalized_weights(model, layers=None):
    """(name, weight) of the weights that are penalized; `layers` as in the settings above."""
    found = [(name, module, weight) for name, module in model.named_modules() for weight in [_own_weight(module)] if weight is not None]
    if layers is not None:
        return [(name, weight) for name, _, weight in found if any(fnmatch.fnmatchcase(name, pattern) for pattern in layers)]
    heads = [module for _, module, _ in found if isinstance(module, nn.Linear)][-1:]
    return [(name, weight) for name, module, weight in found if not any(module is head for head in heads)]


def _own_weight(module):
    # Conv1D is the linear layer of GPT-2 in transformers, with its weight transposed: the singular values are the same.
    ordinary = isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)) or type(module).__name__ == "Conv1D"
    weight = module._parameters.get("weight") if ordinary else None
    plain = weight is not None and weight.dim() > 1 and weight.requires_grad and weight.is_floating_point()
    return weight if plain and getattr(module, "groups", 1) == 1 else None


class OrthonormalPenalty:
    """Call `step()` after each `optimizer.step()`."""

    def __init__(self, model, optimizer, weight=0.1, scale="own", layers=None):
        if scale not in ("own", "one"):
            raise ValueError(f'scale is "own" or "one", not {scale!r}')
        self.optimizers = list(optimizer) if isinstance(optimizer, (list, tuple)) else [optimizer]
        self.model, self.weight, self.scale, self.layers = model, weight, scale, layers
        if not penalized_weights(model, layers):
            raise ValueError("There is no layer to penalize. Name some with layers=[...]; penalized are Linear and ungrouped convolutions.")

    @classmethod
    def of(cls, model, optimizer, **settings):
        """The one that belongs to this optimizer, made at the first call: for functions that train one epoch."""
        if not hasattr(optimizer, "_orthonormal_penalty"):
            optimizer._orthonormal_penalty = cls(model, optimizer, **settings)
        return optimizer._orthonormal_penalty

    @torch.no_grad()
    def step(self):
        """After each step of the optimizer."""
        # Looked up each time: other recipes replace layers during training.
        for _, weight in penalized_weights(self.model, self.layers):
            matrix = short_side_first(weight).to(torch.promote_types(weight.dtype, torch.float32))
            size = float((matrix ** 2).sum())
            if size == 0 or size != size or size == float("inf"):
                continue  # Zero, or the loss has diverged: there is no direction.
            towards, bound = direction(matrix, self.scale)
            step = min(self._learning_rate(weight) * self.weight, LARGEST_STEP / float(bound))
            moved = matrix - step * towards
            upright = moved if weight.flatten(1).shape[0] <= weight.flatten(1).shape[1] else moved.T
            weight.copy_(upright.reshape(weight.shape))

    def condition_numbers(self):
        """Largest over smallest singular value of each penalized weight, by its layer's name."""
        return {name: condition_number(weight) for name, weight in penalized_weights(self.model, self.layers)}

    def _learning_rate(self, weight):
        """Of the group that trains this weight; 0 where none does."""
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                if any(parameter is weight for parameter in group["params"]):
                    return group["lr"]
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
    """A callback for Lightning's Trainer; the settings are those of OrthonormalPenalty."""

    class OrthonormalPenaltyCallback(_callback_class("Callback", "lightning.pytorch", "pytorch_lightning")):
        def on_train_start(self, trainer, pl_module):
            self.penalty = OrthonormalPenalty(pl_module, trainer.optimizers, **settings)
            self.seen = trainer.global_step

        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            if trainer.global_step != self.seen:  # Not while gradients are accumulated.
                self.seen = trainer.global_step
                self.penalty.step()

    return OrthonormalPenaltyCallback()


def trainer_callback(**settings):
    """A callback for the Trainer of Hugging Face transformers; the settings are those of OrthonormalPenalty."""

    class OrthonormalPenaltyCallback(_callback_class("TrainerCallback", "transformers")):
        def on_train_begin(self, args, state, control, model=None, optimizer=None, **kwargs):
            self.penalty = OrthonormalPenalty(model, optimizer, **settings)

        def on_step_end(self, args, state, control, **kwargs):
            self.penalty.step()

    return OrthonormalPenaltyCallback()
