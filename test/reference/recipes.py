"""Claims about the recipes' mathematics, in PyTorch. Prints {claim: null or what is wrong} as JSON."""
import json
import math
import pathlib
import sys
import traceback
import types

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "src/training/recipes/python"))
import cuttlefish
import low_rank_training
import orthonormal_penalty
import trained_rank_pruning as trp

torch.set_num_threads(1)
CLAIMS = []


def claim(function):
    CLAIMS.append(function)
    return function


def of_spectrum(rows, columns, singular_values, dtype=torch.float64):
    """A matrix of these singular values between random orthonormal bases."""
    s = torch.tensor(singular_values, dtype=dtype)
    u, _ = torch.linalg.qr(torch.randn(rows, len(s), dtype=dtype))
    v, _ = torch.linalg.qr(torch.randn(columns, len(s), dtype=dtype))
    return u @ torch.diag(s) @ v.T


def small_net():
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 12, 3, groups=12),
                         nn.Flatten(), nn.Linear(12 * 16, 24), nn.ReLU(), nn.Linear(24, 10))


def train(net, optimizer, after_step=lambda: None, after_epoch=lambda: None, epochs=3, batches=8, accumulate=1):
    """Any task will do here: ten classes of noise around fixed pictures."""
    generator = torch.Generator().manual_seed(7)
    pictures = torch.randn(10, 1, 6, 6, generator=generator)
    losses = []
    for _ in range(epochs):
        for batch in range(batches):
            y = torch.randint(10, (32,), generator=generator)
            x = pictures[y] + 0.3 * torch.randn(32, 1, 6, 6, generator=generator)
            loss = nn.functional.cross_entropy(net(x), y)
            (loss / accumulate).backward()
            if batch % accumulate == accumulate - 1:
                optimizer.step()
                optimizer.zero_grad()
            after_step()
            losses.append(float(loss))
        after_epoch()
    return losses


def assert_close(found, expected, tolerance=1e-10):
    assert abs(float(found) - float(expected)) <= tolerance, f"{float(found)} is not {float(expected)}"


# Trained Rank Pruning


@claim
def trp_keeps_the_smallest_rank_that_has_the_energy():
    # Squares 16, 9, 4, 1: sums 16, 25, 29, 30.
    s = torch.tensor([4.0, 3.0, 2.0, 1.0])
    assert [trp.energy_rank(s, e) for e in (0.5, 16 / 30, 0.54, 25 / 30, 0.9, 0.97, 1)] == [1, 1, 2, 2, 3, 4, 4]
    assert trp.energy_rank(torch.zeros(3), 0.9) == 1


@claim
def trp_truncates_to_the_nearest_matrix_of_that_rank():
    matrix = of_spectrum(7, 9, [4, 3, 2, 1])
    low, rank = trp.truncate(matrix, 0.9)
    assert rank == 3
    # Eckart and Young: what is left out is the smallest singular value.
    assert_close(torch.linalg.matrix_norm(matrix - low), 1)
    assert_close((low ** 2).sum() / (matrix ** 2).sum(), 29 / 30)
    assert int(torch.linalg.matrix_rank(low)) == 3


@claim
def trp_moves_against_the_nuclear_norms_subgradient():
    matrix = of_spectrum(4, 9, [4, 3, 2, 1])
    variable = matrix.clone().requires_grad_()
    torch.linalg.matrix_norm(variable, "nuc").backward()
    moved, _ = trp.truncate(matrix, 1, shrink=0.01)
    assert torch.allclose(moved, matrix - 0.01 * variable.grad, atol=1e-12)


@claim
def trp_never_turns_a_singular_value_around():
    moved, _ = trp.truncate(of_spectrum(5, 5, [4, 3, 0.005]), 1, shrink=0.01)
    assert torch.allclose(torch.linalg.svdvals(moved)[:3], torch.tensor([3.99, 2.99, 0.0], dtype=torch.float64), atol=1e-10)


@claim
def trp_unfolds_a_convolution_by_either_scheme_and_back():
    weight = torch.randn(6, 5, 3, 7)
    for scheme, shape in (("channel", (6, 105)), ("spatial", (15, 42))):
        matrix = trp.unfold(weight, scheme)
        assert tuple(matrix.shape) == shape
        assert torch.equal(trp.fold(matrix, weight.shape, scheme), weight)


@claim
def trp_makes_kernels_separable_by_the_spatial_scheme():
    # out = sum over r of a vertical kernel times a horizontal one: its spatial unfolding has rank 2.
    vertical, horizontal = torch.randn(2, 5, 3), torch.randn(2, 6, 7)
    weight = torch.einsum("riy,rox->oiyx", vertical, horizontal)
    assert int(torch.linalg.matrix_rank(trp.unfold(weight, "spatial"), rtol=1e-5)) == 2


@claim
def trp_leaves_out_first_convolution_head_grouped_frozen_and_shared_layers():
    net = small_net()
    assert [name for name, _ in trp.prunable_layers(net)] == ["2", "6"]
    net[6].weight.requires_grad_(False)
    assert [name for name, _ in trp.prunable_layers(net)] == ["2"]
    shared = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 4), nn.Linear(4, 9), nn.Linear(9, 3))
    shared[2].weight = shared[0].weight
    assert [name for name, _ in trp.prunable_layers(shared)] == ["1"]
    assert [name for name, _ in trp.prunable_layers(net, layers=["0", "8"])] == ["0", "8"]


@claim
def trp_truncates_every_period_and_at_the_end_of_an_epoch():
    net = small_net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    pruning = trp.TrainedRankPruning(net, optimizer, energy=0.8, period=3, nuclear_weight=0)
    full = []
    def after_step():
        pruning.step()
        full.append(int(torch.linalg.matrix_rank(net[6].weight)) == 24)
    train(net, optimizer, after_step, pruning.epoch_end, epochs=1, batches=7)
    assert full == [True, True, False, True, True, False, True], full
    assert int(torch.linalg.matrix_rank(net[6].weight)) == pruning.ranks["6"] < 24
    assert trp.energy_rank(torch.linalg.svdvals(net[2].weight.flatten(1)), 1 - 1e-6) == pruning.ranks["2"] < 12


@claim
def trp_steps_as_far_as_sgd_with_momentum_would():
    net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    for optimizer, expected in ((torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9), 1.0), (torch.optim.AdamW(net.parameters(), lr=0.1), 0.1)):
        assert_close(trp.TrainedRankPruning(net, optimizer)._step_size(net[0].weight), expected, 1e-6)


@claim
def trp_works_with_half_precision_and_passes_over_weights_that_are_not_finite():
    net = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 2)).to(torch.bfloat16)
    net[1].weight.data[0, 0] = float("nan")
    pruning = trp.TrainedRankPruning(net, torch.optim.SGD(net.parameters(), lr=0.1), energy=0.5)
    pruning.epoch_end()
    assert list(pruning.ranks) == ["0"] and net[0].weight.dtype == torch.bfloat16


@claim
def trp_refuses_settings_without_sense():
    net = small_net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for settings in ({"energy": 0}, {"energy": 1.5}, {"period": 0}, {"scheme": "tucker"}, {"layers": ["none"]}):
        try:
            trp.TrainedRankPruning(net, optimizer, **settings)
        except ValueError:
            continue
        raise AssertionError(f"{settings} was taken")


# Cuttlefish


@claim
def cuttlefish_measures_the_stable_rank():
    assert_close(cuttlefish.stable_rank(of_spectrum(7, 9, [4, 3, 2, 1])), 30 / 16)
    assert cuttlefish.stable_rank(torch.zeros(3, 3)) == 0


@claim
def cuttlefish_settles_on_the_series_of_its_rule():
    assert not cuttlefish.has_settled([5.0] * 15)
    assert cuttlefish.has_settled([5.0] * 16)
    # A steady slope, once smoothed, is that slope.
    assert not cuttlefish.has_settled([0.11 * i for i in range(120)])
    assert cuttlefish.has_settled([0.09 * i for i in range(120)])
    # A fall that has ended: it settles when the moving average has come to rest.
    fallen = [40.0 - i for i in range(20)] + [20.0] * 40
    settled = [n for n in range(1, len(fallen) + 1) if cuttlefish.has_settled(fallen[:n])]
    assert 20 < settled[0] <= 45 and settled == list(range(settled[0], len(fallen) + 1)), settled


@claim
def cuttlefish_smooths_and_differentiates_as_numpy_does():
    import numpy
    series = numpy.random.default_rng(0).normal(10, 0.3, 30)
    weight, average = 2 / 16, [series[0]]
    for value in series[1:]:
        average.append(value * weight + average[-1] * (1 - weight))
    mean = numpy.abs(numpy.gradient(average))[-11:].mean()
    assert not cuttlefish.has_settled(list(series), threshold=mean * (1 - 1e-9)) and cuttlefish.has_settled(list(series), threshold=mean * (1 + 1e-9))


@claim
def cuttlefish_factors_are_the_nearest_of_their_rank():
    for layer, x in ((nn.Linear(9, 7), torch.randn(4, 9)), (nn.Conv2d(5, 8, (5, 3), stride=(2, 1), padding=(1, 2), dilation=(1, 2)), torch.randn(2, 5, 12, 12)),
                     (nn.Conv2d(5, 8, 3, padding="same", padding_mode="circular", bias=False), torch.randn(2, 5, 8, 8))):
        full = cuttlefish.factored(layer, min(layer.weight.flatten(1).shape))
        assert torch.allclose(full(x), layer(x), atol=1e-5)
        pair = cuttlefish.factored(layer, 3)
        s = torch.linalg.svdvals(layer.weight.flatten(1))
        assert_close(torch.linalg.norm(pair.weight - layer.weight), torch.linalg.norm(s[3:]), 1e-5)
        assert (pair[1].bias is layer.bias) and pair.weight.shape == layer.weight.shape


@claim
def cuttlefish_scales_so_that_the_first_weights_are_of_full_rank():
    net = small_net()
    recipe = cuttlefish.Cuttlefish(net, torch.optim.SGD(net.parameters(), lr=0.1))
    recipe.epoch_end()
    assert {name: recipe.scaled_rank(name) for name in ("2", "6")} == {"2": 12, "6": 24}
    net[6].weight.data = of_spectrum(24, 192, [2.0] + [1.0] * 8, torch.float32)
    recipe.epoch_end()
    assert recipe.scaled_rank("6") == min(24, -int(-recipe.scales["6"] * 3 // 1))


@claim
def cuttlefish_switches_when_all_have_settled_and_goes_on_training():
    torch.manual_seed(0)
    net = small_net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-2)
    recipe = cuttlefish.Cuttlefish(net, optimizer, window=3, last=2, threshold=0.5)
    switched = []
    losses = train(net, optimizer, after_epoch=lambda: switched.append(recipe.epoch_end()), epochs=20)
    assert switched.count(True) == 1 and recipe.ranks
    before, after = losses[: 8 * (switched.index(True) + 1)][-1], losses[-1]
    assert after < max(2 * before, 0.2), (before, after)
    trained = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    assert trained == {id(parameter) for parameter in net.parameters()}
    for name, rank in recipe.ranks.items():
        assert net.get_submodule(name)[0].weight.shape[0] == rank and cuttlefish.is_smaller(net.get_submodule(name).weight, rank)
    again = small_net()
    cuttlefish.factorize(again, recipe.ranks)
    again.load_state_dict(net.state_dict())


@claim
def cuttlefish_switches_at_the_latest_epoch():
    net = small_net()
    recipe = cuttlefish.Cuttlefish(net, torch.optim.SGD(net.parameters(), lr=0.1), latest=2)
    assert [recipe.epoch_end() for _ in range(4)] == [False, True, False, False]


# Dynamical low-rank training


@claim
def dlrt_cuts_to_the_tolerance():
    # Tails of [4, 3, 2, 1], over the norm of all: rank 3 leaves out 1, rank 2 the root of 5.
    s, norm = torch.tensor([4.0, 3.0, 2.0, 1.0]), 30 ** 0.5
    assert [low_rank_training.rank_within(s, t / norm) for t in (0, 0.99, 1.01, 2.2, 2.3, 3.7, 3.8)] == [4, 4, 3, 3, 2, 2, 1]


@claim
def dlrt_begins_with_the_best_factors():
    layer = nn.Conv2d(5, 8, (5, 3), stride=(2, 1), padding=(1, 2))
    low = low_rank_training.LowRankLayer(layer)
    s = torch.linalg.svdvals(layer.weight.flatten(1))
    assert low.rank == 4
    assert_close(torch.linalg.norm(low.weight - layer.weight), torch.linalg.norm(s[4:]), 1e-5)
    x = torch.randn(2, 5, 12, 12)
    expected = nn.functional.conv2d(x, low.weight, layer.bias, layer.stride, layer.padding)
    for gathers in (True, False):
        low.gathers = gathers
        assert torch.allclose(low(x), expected, atol=1e-5)
    assert torch.allclose(low.two_layers()(x), expected, atol=1e-5)


@claim
def dlrt_gathers_the_gradients_of_k_and_l_and_s():
    for layer, x in ((nn.Linear(9, 8), torch.randn(6, 9)), (nn.Conv2d(4, 8, 3, padding=1, padding_mode="reflect"), torch.randn(2, 4, 6, 6))):
        low = low_rank_training.LowRankLayer(layer)
        layer.weight.data = low.weight.detach()
        for module in (low, layer):
            (module(x) ** 3).sum().backward()
        g = layer.weight.grad.flatten(1)
        scale = float(g.abs().max())
        for found, expected in ((low.basis_gradients[0], g @ low.V), (low.basis_gradients[1], g.T @ low.U), (low.S.grad, low.U.T @ g @ low.V)):
            assert torch.allclose(found, expected, atol=1e-4 * scale)


@claim
def dlrt_bases_span_the_k_and_l_steps_and_keep_the_weight():
    low = low_rank_training.LowRankLayer(nn.Linear(12, 10).double(), 0.3)
    u, v, before = low.U, low.V, low.weight.detach()
    ku, lv = torch.randn(10, 3, dtype=torch.float64), torch.randn(12, 3, dtype=torch.float64)
    low.basis_gradients = [ku, lv]
    low.augment([])
    assert low.rank == 6 and torch.allclose(low.weight, before, atol=1e-12)
    for basis, step in ((low.U, u @ torch.randn(3, 3, dtype=torch.float64) - 0.1 * ku), (low.V, v @ torch.randn(3, 3, dtype=torch.float64) - 0.1 * lv)):
        assert torch.allclose(basis.T @ basis, torch.eye(6, dtype=torch.float64), atol=1e-12)
        assert torch.allclose(basis @ (basis.T @ step), step, atol=1e-10)


@claim
def dlrt_integrates_gradient_flow_to_a_target_of_low_rank():
    # W' = target - W has W(t) = target + exp(-t) (start - target), of rank 5 or below. An integrator of first order halves its error with its step.
    target, start = of_spectrum(20, 16, [5, 3, 1]), of_spectrum(20, 16, [2, 1])
    identity, seconds = torch.eye(16, dtype=torch.float64), 2.0

    def error_of(steps):
        layer = nn.Linear(16, 20, bias=False).double()
        layer.weight.data = start
        low = low_rank_training.LowRankLayer(layer, 2 / 16)
        loss = lambda: 0.5 * ((low(identity) - target.T) ** 2).sum()
        for _ in range(steps):
            low.gathers = True
            loss().backward()
            low.augment([])
            low.gathers = False
            loss().backward()
            with torch.no_grad():
                low.S -= seconds / steps * low.S.grad
            low.cut([], 1e-8, 1)
        assert low.rank <= 6, low.rank
        exact = target + math.exp(-seconds) * (start - target)
        return float(torch.linalg.norm(low.weight - exact) / torch.linalg.norm(exact))

    errors = [error_of(steps) for steps in (50, 100, 200)]
    assert errors[0] < 0.05 and all(0.4 < after / before < 0.6 for before, after in zip(errors, errors[1:])), errors


@claim
def dlrt_adapts_ranks_and_lowers_the_loss_with_sgd_and_adam():
    for make in (lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9), lambda p: torch.optim.AdamW(p, lr=3e-3, amsgrad=True), lambda p: torch.optim.RMSprop(p, lr=1e-3)):
        torch.manual_seed(0)
        net = small_net()
        optimizer = make(net.parameters())
        dlrt = low_rank_training.DynamicalLowRank(net, optimizer, tolerance=0.3)
        at_start = dict(dlrt.ranks)
        losses = train(net, optimizer, dlrt.step, dlrt.epoch_end, epochs=12, batches=9)
        assert sum(losses[-5:]) < 0.5 * sum(losses[:5]), losses
        assert dlrt.ranks["6"] < at_start["6"] == 12, dlrt.ranks
        trained = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
        assert trained == {id(parameter) for parameter in net.parameters()}
        for name, layer in dlrt.layers:
            assert torch.allclose(layer.U.T @ layer.U, torch.eye(layer.rank), atol=1e-4)
            state = optimizer.state[layer.S]
            assert all(value.shape == layer.S.shape for value in state.values() if torch.is_tensor(value) and value.dim() == 2)
            assert all(bool((state[key] >= 0).all()) for key in low_rank_training.SQUARED if key in state)


@claim
def dlrt_checkpoints_load_and_finish_in_ordinary_layers():
    torch.manual_seed(0)
    net = small_net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    dlrt = low_rank_training.DynamicalLowRank(net, optimizer, tolerance=0.3)
    train(net, optimizer, dlrt.step, dlrt.epoch_end)
    again = small_net()
    low_rank_training.convert(again)
    again.load_state_dict(net.state_dict())
    assert low_rank_training.DynamicalLowRank(again, torch.optim.SGD(again.parameters(), lr=0.1)).ranks == dlrt.ranks
    x = torch.randn(3, 1, 6, 6)
    expected = net.eval()(x)
    assert torch.allclose(again.eval()(x), expected, atol=1e-6)
    dlrt.finish()
    assert {type(module) for module in net.modules()} == {nn.Sequential, nn.Conv2d, nn.Linear, nn.ReLU, nn.Flatten}
    assert torch.allclose(net(x), expected, atol=1e-4)


# Orthonormal penalty


@claim
def penalty_is_zero_exactly_for_equal_singular_values():
    for weight in (of_spectrum(5, 9, [3.0] * 5), of_spectrum(9, 5, [3.0] * 5)):
        assert_close(orthonormal_penalty.penalty(weight), 0)
        assert float(orthonormal_penalty.penalty(weight, "one")) > 1
    # Squares 4 and 16 with mean 10: (0.6^2 + 0.6^2) / 4, at any size.
    for size in (1, 7):
        assert_close(orthonormal_penalty.penalty(size * of_spectrum(2, 6, [4, 2])), 0.18)


@claim
def penalty_direction_is_its_gradient():
    for scale in ("own", "one"):
        for shape in ((4, 7), (7, 4), (4, 3, 2, 2)):
            weight = torch.randn(shape, dtype=torch.float64, requires_grad=True)
            orthonormal_penalty.penalty(weight, scale).backward()
            matrix = orthonormal_penalty.short_side_first(weight.detach())
            a = float((matrix ** 2).sum()) / 4 if scale == "own" else 1.0
            found, bound = orthonormal_penalty.direction(matrix, scale)
            assert torch.allclose(found, a * orthonormal_penalty.short_side_first(weight.grad), atol=1e-10)
            assert float(bound) >= float(torch.linalg.matrix_norm(matrix, 2)) ** 2 / a
            if scale == "own":
                assert_close((found * matrix).sum(), 0)


@claim
def penalty_brings_down_the_condition_number():
    for shape in ((6, 10), (10, 6)):
        layer = nn.Linear(shape[1], shape[0], bias=False)
        layer.weight.data = of_spectrum(*shape, [30.0, 10, 3, 1, 0.3, 0.1], torch.float32)
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
        recipe = orthonormal_penalty.OrthonormalPenalty(layer, optimizer, weight=100, layers=[""])
        seen = [recipe.condition_numbers()[""]]
        for _ in range(60):
            recipe.step()
            seen.append(recipe.condition_numbers()[""])
        assert all(after <= before * (1 + 1e-4) for before, after in zip(seen, seen[1:])) and seen[0] > 200 and seen[-1] < 1.01, seen[-1]


@claim
def penalty_reaches_the_factors_that_another_recipe_leaves():
    net = small_net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    assert [name for name, _ in orthonormal_penalty.penalized_weights(net)] == ["0", "2", "6"]
    recipe = orthonormal_penalty.OrthonormalPenalty(net, optimizer, weight=1)
    cuttlefish._exchange([optimizer], cuttlefish.factorize(net, {"2": 4, "6": 6}))
    before = recipe.condition_numbers()
    assert list(before) == ["0", "2.0", "2.1", "6.0", "6.1"]
    train(net, optimizer, recipe.step)
    assert all(number < before[name] for name, number in recipe.condition_numbers().items())


# Callbacks: the hooks of Lightning and of transformers, in the order in which these call them.


def run_lightning(callback, net, optimizer):
    """Stands in for lightning.pytorch.Trainer: two batches make one step, validation comes before the epoch's end."""
    trainer = types.SimpleNamespace(optimizers=[optimizer], global_step=0, batches=0)
    hook = lambda name, *args: getattr(callback, name, lambda *_: None)(trainer, net, *args)
    hook("on_validation_start")
    hook("on_train_start")
    def batch():
        trainer.batches += 1
        trainer.global_step = trainer.batches // 2
        hook("on_train_batch_end", None, None, trainer.batches)
    def epoch():
        hook("on_validation_start")
        hook("on_train_epoch_end")
    return train(net, optimizer, batch, epoch, epochs=16, accumulate=2)


def run_transformers(callback, net, optimizer):
    """Stands in for transformers.Trainer, which clears the gradients before on_step_end."""
    hook = lambda name: getattr(callback, name, lambda *_, **__: None)("args", "state", "control", model=net, optimizer=optimizer, tokenizer=None)
    hook("on_train_begin")
    def step():
        net.zero_grad(set_to_none=True)
        hook("on_step_end")
    losses = train(net, optimizer, step, lambda: hook("on_epoch_end"), epochs=8)
    hook("on_train_end")
    return losses


@claim
def callbacks_train_in_lightning_and_transformers():
    for run in (run_lightning, run_transformers):
        for module, settings in ((trp, {"energy": 0.8, "period": 2}), (cuttlefish, {"latest": 2}), (low_rank_training, {"core_steps": 5}), (orthonormal_penalty, {"weight": 1.0})):
            torch.manual_seed(0)
            net = small_net()
            optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
            callback = module.lightning_callback(**settings) if run is run_lightning else module.trainer_callback(**settings)
            losses = run(callback, net, optimizer)
            assert sum(losses[-5:]) < 0.9 * sum(losses[:5]), (run.__name__, module.__name__)
            if module is trp:
                assert callback.pruning.steps == 64
                assert int(torch.linalg.matrix_rank(net[6].weight)) == callback.pruning.ranks["6"] < 24
            if module is cuttlefish:
                assert callback.cuttlefish.ranks is not None
            if module is low_rank_training:
                assert all(rank <= 12 for rank in callback.dlrt.ranks.values())


@claim
def callbacks_take_the_base_class_of_the_package_in_use():
    for package, name, make in (("pytorch_lightning", "Callback", "lightning_callback"), ("transformers", "TrainerCallback", "trainer_callback")):
        base = type(name, (), {})
        sys.modules[package] = types.SimpleNamespace(**{name: base})
        try:
            assert all(isinstance(getattr(module, make)(), base) for module in (trp, cuttlefish, low_rank_training, orthonormal_penalty))
        finally:
            del sys.modules[package]


@claim
def recipes_belong_to_their_optimizer():
    for module, kind in ((trp, "TrainedRankPruning"), (cuttlefish, "Cuttlefish"), (low_rank_training, "DynamicalLowRank"), (orthonormal_penalty, "OrthonormalPenalty")):
        net = small_net()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        first = getattr(module, kind).of(net, optimizer)
        assert getattr(module, kind).of(net, optimizer) is first


results = {}
for function in CLAIMS:
    torch.manual_seed(3)
    try:
        function()
        results[function.__name__.replace("_", " ")] = None
    except Exception:
        results[function.__name__.replace("_", " ")] = traceback.format_exc()
print(json.dumps(results))
