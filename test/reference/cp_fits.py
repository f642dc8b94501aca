"""Canonical polyadic fits by plain alternating least squares, for comparison: python3 cp_fits.py WEIGHT.npy RANK…

Prints as JSON, for each rank, the least squared error of several random starts as a part of the squared norm."""
import json
import sys

import numpy

ROUNDS, STARTS = 60, 3


def khatri_rao(factors):
    rows = factors[0]
    for factor in factors[1:]:
        rows = (rows[:, None, :] * factor[None, :, :]).reshape(-1, rows.shape[1])
    return rows


def error(tensor, rank, seed):
    random = numpy.random.default_rng(seed)
    factors = [random.standard_normal((size, rank)) for size in tensor.shape]
    for _ in range(ROUNDS):
        for axis in range(tensor.ndim):
            rows = khatri_rao([factor for other, factor in enumerate(factors) if other != axis])
            unfolded = numpy.moveaxis(tensor, axis, 0).reshape(tensor.shape[axis], -1)
            factors[axis] = numpy.linalg.lstsq(rows, unfolded.T, rcond=None)[0].T
    found = (factors[0] @ khatri_rao(factors[1:]).T).reshape(tensor.shape)
    return float(((tensor - found) ** 2).sum() / (tensor ** 2).sum())


weight = numpy.load(sys.argv[1]).astype(float)
print(json.dumps({rank: min(error(weight, rank, seed) for seed in range(STARTS)) for rank in map(int, sys.argv[2:])}))
