"""Answers lines "make|torch|torchsvd|numpy file rows columns" with milliseconds (float32 values, 2 threads for torch).

What ranklens is measured against runs twice, and the second time counts: caches are warm and threads awake.
"""
import sys
import time

import numpy
import torch

torch.set_num_threads(2)
COMPUTE = {
    "torch": torch.linalg.svdvals,
    "torchsvd": lambda matrix: torch.linalg.svd(matrix, full_matrices=False)[1],
    "numpy": lambda matrix: numpy.linalg.svd(matrix, compute_uv=False),
}
for line in sys.stdin:
    what, path, rows, columns = line.split()
    shape = (int(rows), int(columns))
    if what == "make":
        numpy.random.default_rng(1).standard_normal(shape, dtype="f4").tofile(path)
        print(0, flush=True)
        continue
    matrix = numpy.fromfile(path, dtype="f4").reshape(shape)
    if what != "numpy":
        matrix = torch.from_numpy(matrix)
    for _ in range(1 if what == "numpy" else 2):
        start = time.perf_counter()
        values = COMPUTE[what](matrix)
        ms = 1000 * (time.perf_counter() - start)
    numpy.asarray(values).astype("f8").tofile(path + "." + what)
    print(ms, flush=True)
