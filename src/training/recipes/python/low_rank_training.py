"""Dynamical low-rank training (DLRT): the weights are factors from the start, and their ranks adapt while they train.

Schotthoefer et al., "Low-rank lottery tickets: finding efficient low-rank neural networks via matrix differential
equations", NeurIPS 2022, arXiv:2205.13571; the integrator is the rank-adaptive one of Ceruti, Kusch and Lubich,
"A rank-adaptive robust integrator for dynamical low-rank approximation", BIT 2022, arXiv:2104.05247.

A weight (m x n) is W = U S V^T, with orthonormal U (m x r) and V (n x r). Gradient flow W' = -G, G the loss's gradient,
is followed on the matrices of low rank:

    K-step  K = U S follows K' = -G V:        the new basis is U^ = orth[U, G V]
    L-step  L = V S^T follows L' = -G^T U:    the new basis is V^ = orth[V, G^T U]
    S-step  S^ = U^^T U S V^T V^ follows S^' = -U^^T G V^, taken by your optimizer
    then    S^ = P diag(s) Q^T is cut to the smallest r with  (s_{r+1}^2 + ...)^(1/2) <= tolerance * |s|,  U = U^ P, V = V^ Q

so each round offers a layer twice its rank, and what the tolerance allows is taken back. G itself is never formed.

    dlrt = DynamicalLowRank(model, optimizer)
    for epoch in range(epochs):
        for batch in batches:
            ...
            optimizer.step()
            dlrt.step()
        dlrt.epoch_end()            # ends the round: what is evaluated and saved has been cut

    lightning.Trainer(callbacks=[lightning_callback()])
    transformers.Trainer(..., callbacks=[trainer_callback()])

When training is done, `dlrt.finish()` leaves two ordinary layers in the place of each. To load a checkpoint of the
training itself, build the model, call `convert(model)`, then load.

Settings
    tolerance     share of a layer's norm that a cut may take
    initial_rank  share of the shorter side that the factors start with, from the weight's own largest singular values
    core_steps    S-steps of a round: momentum needs some to build up for the new directions
    smallest      a rank that no layer falls below
    layers        names or patterns ("blocks.*.fc1") of the layers to factorize. Without it: all Conv2d and Linear layers
                  but the first convolution, the last linear layer, grouped convolutions, frozen weights, and weights
                  that two modules share.

Differences from the authors' code (github.com/COMPiLELab/DLRT-Net), which takes all three steps on every batch, in a loop
of its own: here a round takes the K- and L-step from the gradients of one batch and S-steps from the next `core_steps`, so
that any loop with one backward pass a step will do; the first batch of a round moves S in its old bases. For one explicit
Euler step orth[U, K] is orth[U, G V], whatever the learning rate. Momenta of S turn with the bases (second moments by
squared entries, which keeps them positive) where the authors start them again. Ranks are cut to half the shorter side at
most, as theirs.

One process only: data parallel wrappers do not follow a change of shapes. Needs torch >= 1.13 alone.
"""
import fnmatch
import importlib
import sys

import torch
from torch import nn
from torch.nn import functional

SQUARED = ("exp_avg_sq", "max_exp_avg_sq", "square_avg", "sum")
"""States of torch's optimizers that hold squares of gradients: Adam, AMSGrad, RMSprop, Adagrad."""


class LowRankLayer(nn.Module):
    """A Linear or Conv2d layer whose weight is U S V^T; a convolution (out, in, h, w) counts as out x (in * h * w).

    S and the bias are parameters. U and V are buffers, as no optimizer moves them: the integrator does.
    """

    def __init__(self, layer, initial_rank=0.5):
        super().__init__()
        weight = layer.weight.detach()
        matrix = weight.flatten(1).to(torch.promote_types(weight.dtype, torch.float32))
        u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
        rank = max(1, min(round(initial_rank * len(s)), self.largest_rank(*matrix.shape)))
        self.register_buffer("U", u[:, :rank].to(weight.dtype).contiguous())
        self.register_buffer("V", vh[:rank].T.to(weight.dtype).contiguous())
        self.S = nn.Parameter(torch.diag(s[:rank]).to(weight.dtype))
        self.bias = layer.bias
        self.kernel = tuple(weight.shape[1:])
        self.convolution = None if isinstance(layer, nn.Linear) else {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation}
        self.padding_mode, self.outer_padding = getattr(layer, "padding_mode", "zeros"), getattr(layer, "_reversed_padding_repeated_twice", None)
        self.gathers = True
        """Whether the next backward pass is to leave G V and G^T U in `basis_gradients`."""
        self.basis_gradients = [0, 0]

    @staticmethod
    def largest_rank(rows, columns):
        return max(1, min(rows, columns) // 2)

    @property
    def rank(self):
        return self.S.shape[0]

    @property
    def weight(self):
        return (self.U @ self.S @ self.V.T).reshape(self.U.shape[0], *self.kernel)

    def forward(self, x):
        if self.gathers and self.training and torch.is_grad_enabled():
            # Weights of zero beside U S and V: their gradients are G V and G^T U, at the weight as it is.
            k, l = torch.zeros_like(self.U, requires_grad=True), torch.zeros_like(self.V, requires_grad=True)
            k.register_hook(lambda gradient: self._gather(0, gradient))
            l.register_hook(lambda gradient: self._gather(1, gradient))
            return self._out(self._into(x, self.V), self.U @ self.S + k) + self._out(self._into(x, l), self.U, without_bias=True)
        return self._out(self._out(self._into(x, self.V), self.S, without_bias=True), self.U)

    def _into(self, x, v):
        if self.convolution is None:
            return functional.linear(x, v.T)
        options = self.convolution
        if self.padding_mode != "zeros":
            x, options = functional.pad(x, self.outer_padding, mode=self.padding_mode), {**options, "padding": 0}
        return functional.conv2d(x, v.T.reshape(-1, *self.kernel), **options)

    def _out(self, x, u, without_bias=False):
        bias = None if without_bias else self.bias
        return functional.linear(x, u, bias) if self.convolution is None else functional.conv2d(x, u[:, :, None, None], bias)

    def _gather(self, index, gradient):
        self.basis_gradients[index] = self.basis_gradients[index] + gradient.detach()

    @torch.no_grad()
    def augment(self, optimizers):
        """K- and L-step: twice the basis vectors, the same weight."""
        ku, lv = self.basis_gradients
        self.basis_gradients = [0, 0]
        if isinstance(ku, int) or not bool(torch.isfinite(ku).all() and torch.isfinite(lv).all()):
            return
        rank = self.rank
        self.U, self.V = _augmented(self.U, ku), _augmented(self.V, lv)
        padding = (0, self.V.shape[1] - rank, 0, self.U.shape[1] - rank)
        # [U, .]^T U is the identity over zeros: S, and all that the optimizer knows of it, is padded with zeros.
        self._change_core(optimizers, lambda tensor, squared: functional.pad(tensor, padding))

    @torch.no_grad()
    def cut(self, optimizers, tolerance, smallest):
        """Back to the smallest rank within the tolerance; S becomes diagonal."""
        core = self.S.to(torch.promote_types(self.S.dtype, torch.float32))
        if not bool(torch.isfinite(core).all()):
            return
        p, s, qh = torch.linalg.svd(core)
        rank = rank_within(s, tolerance)
        rank = max(min(rank, self.largest_rank(self.U.shape[0], self.V.shape[0])), min(smallest, len(s)))
        p, q = p[:, :rank].to(self.S.dtype), qh[:rank].T.to(self.S.dtype)
        self.U, self.V = self.U @ p, self.V @ q

        def turned(tensor, squared):
            return (p * p).T @ tensor @ (q * q) if squared else p.T @ tensor @ q

        self._change_core(optimizers, turned)
        self.S.copy_(torch.diag(s[:rank]))

    def _change_core(self, optimizers, change):
        """A new parameter, as autograd holds on to the old one's shape, with the changed memory of the optimizers."""
        old = self.S
        self.S = nn.Parameter(change(old.detach(), False))
        exchange(optimizers, old, self.S, lambda key, value: change(value, key in SQUARED))

    def two_layers(self):
        """The same function as two ordinary layers of inner rank r."""
        options = {"device": self.S.device, "dtype": self.S.dtype}
        out, into, rank = self.U.shape[0], self.kernel[0], self.rank
        if self.convolution is None:
            pair = nn.Sequential(nn.Linear(into, rank, bias=False, **options), nn.Linear(rank, out, bias=False, **options))
        else:
            pair = nn.Sequential(
                nn.Conv2d(into, rank, self.kernel[1:], bias=False, padding_mode=self.padding_mode, **self.convolution, **options),
                nn.Conv2d(rank, out, 1, bias=False, **options),
            )
        with torch.no_grad():
            # The square root of S on each side keeps both well conditioned.
            p, s, qh = torch.linalg.svd(self.S.to(torch.promote_types(self.S.dtype, torch.float32)))
            root = s.sqrt()
            pair[0].weight.copy_((root[:, None] * (qh @ self.V.T.to(s.dtype))).reshape(pair[0].weight.shape))
            pair[1].weight.copy_((self.U.to(s.dtype) @ p * root).reshape(pair[1].weight.shape))
        pair[1].bias = self.bias
        return pair.train(self.training)

    def _load_from_state_dict(self, state_dict, prefix, *args):
        for name in ("U", "S", "V"):
            if prefix + name in state_dict:
                tensor = getattr(self, name)
                tensor.data = tensor.data.new_zeros(state_dict[prefix + name].shape)
        super()._load_from_state_dict(state_dict, prefix, *args)


def _augmented(basis, gradient):
    """An orthonormal basis that begins with `basis` and spans it and the gradient's columns."""
    both = torch.cat([basis, gradient.to(basis.dtype)], 1).to(torch.promote_types(basis.dtype, torch.float32))
    q, _ = torch.linalg.qr(both)
    return torch.cat([basis, q[:, basis.shape[1]:].to(basis.dtype)], 1)


def exchange(optimizers, old, new, change=None):
    """`new` takes the place of a parameter, with its learning rate and weight decay; states of its shape are changed, or all dropped."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["params"][:] = [new if parameter is old else parameter for parameter in group["params"]]
        state = optimizer.state.pop(old, None)
        if state and change is not None:
            optimizer.state[new] = {key: change(key, value) if torch.is_tensor(value) and value.shape == old.shape else value for key, value in state.items()}


def rank_within(singular_values, tolerance):
    """The smallest rank whose omitted singular values have a norm of at most `tolerance` times the norm of all."""
    squares = singular_values.double() ** 2
    tails = squares.flip(0).cumsum(0).flip(0)  # tails[r]: what rank r leaves out
    return int((tails > tolerance ** 2 * tails[0]).sum())


def low_rank_candidates(model, layers=None):
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


def convert(model, initial_rank=0.5, layers=None):
    """Replaces layers by LowRankLayer. Returns (name, old layer, new layer) of each."""
    converted = []
    for name, layer in low_rank_candidates(model, layers):
        low_rank = LowRankLayer(layer, initial_rank).train(layer.training)
        _put(model, name, low_rank)
        converted.append((name, layer, low_rank))
    return converted


def _put(model, name, module):
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, module)


class DynamicalLowRank:
    """Call `step()` after each `optimizer.step()`, and `epoch_end()` after each epoch."""

    def __init__(self, model, optimizer, tolerance=0.1, initial_rank=0.5, core_steps=10, smallest=2, layers=None):
        if torch.distributed.is_available() and torch.distributed.is_initialized() and torch.distributed.get_world_size() > 1:
            raise RuntimeError("Low-rank training changes the shapes of parameters, which data parallel training does not follow. Train on one process.")
        if not 0 <= tolerance < 1:
            raise ValueError(f"tolerance is a share of a layer's norm, at least 0 and below 1, not {tolerance}")
        self.model = model
        self.optimizers = list(optimizer) if isinstance(optimizer, (list, tuple)) else [optimizer]
        if core_steps < 1:
            raise ValueError(f"core_steps is a number of steps, at least 1, not {core_steps}")
        self.tolerance, self.core_steps, self.smallest = tolerance, core_steps, smallest
        self.taken = 0
        # A model that was converted before, to load a checkpoint, is taken as it is.
        self.layers = [(name, module) for name, module in model.named_modules() if isinstance(module, LowRankLayer)]
        for name, old, new in [] if self.layers else convert(model, initial_rank, layers):
            exchange(self.optimizers, old.weight, new.S)
            self.layers.append((name, new))
        if not self.layers:
            raise ValueError("There is no layer to factorize. Name some with layers=[...]; factorized are Linear and ungrouped Conv2d.")

    @classmethod
    def of(cls, model, optimizer, **settings):
        """The one that belongs to this optimizer, made at the first call: for functions that train one epoch."""
        if not hasattr(optimizer, "_low_rank_training"):
            optimizer._low_rank_training = cls(model, optimizer, **settings)
        return optimizer._low_rank_training

    @property
    def ranks(self):
        """The rank of each layer, by name."""
        return {name: layer.rank for name, layer in self.layers}

    def step(self):
        """After each step of the optimizer: a K- and L-step, then S-steps, then the cut."""
        if self.taken == 0:
            for _, layer in self.layers:
                layer.augment(self.optimizers)
                layer.gathers = False
        self.taken += 1
        if self.taken > self.core_steps:
            self.epoch_end()

    def epoch_end(self):
        """Cuts the layers that have been offered twice their rank, so that what is evaluated and saved is of low rank."""
        self.taken = 0
        for _, layer in self.layers:
            if not layer.gathers:
                layer.cut(self.optimizers, self.tolerance, self.smallest)
                layer.gathers = True

    def finish(self):
        """Ordinary layers in the place of all low-rank ones. The optimizer does not follow."""
        self.epoch_end()
        for name, layer in self.layers:
            _put(self.model, name, layer.two_layers())
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
    """A callback for Lightning's Trainer; the settings are those of DynamicalLowRank."""

    class DynamicalLowRankCallback(_callback_class("Callback", "lightning.pytorch", "pytorch_lightning")):
        def on_train_start(self, trainer, pl_module):
            self.dlrt = DynamicalLowRank(pl_module, trainer.optimizers, **settings)
            self.seen = trainer.global_step

        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            if trainer.global_step != self.seen:  # Not while gradients are accumulated.
                self.seen = trainer.global_step
                self.dlrt.step()

        def on_validation_start(self, trainer, pl_module):
            # Validation comes before the end of the epoch; before training there is a sanity check.
            if hasattr(self, "dlrt"):
                self.dlrt.epoch_end()

        def on_train_epoch_end(self, trainer, pl_module):
            self.dlrt.epoch_end()

    return DynamicalLowRankCallback()


def trainer_callback(**settings):
    """A callback for the Trainer of Hugging Face transformers; the settings are those of DynamicalLowRank."""

    class DynamicalLowRankCallback(_callback_class("TrainerCallback", "transformers")):
        def on_train_begin(self, args, state, control, model=None, optimizer=None, **kwargs):
            self.dlrt = DynamicalLowRank(model, optimizer, **settings)

        def on_step_end(self, args, state, control, **kwargs):
            self.dlrt.step()

        def on_epoch_end(self, args, state, control, **kwargs):
            self.dlrt.epoch_end()

        def on_train_end(self, args, state, control, **kwargs):
            self.dlrt.epoch_end()

    return DynamicalLowRankCallback()
