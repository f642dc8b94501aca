"""What leading triplets leave of their matrices, against LAPACK in float64.

Reads lines "file rows columns rank", where file holds the matrix (float32), file.left, file.values and file.right the
triplets (float64, row-major); prints a JSON list of what leadingTriplets.test.ts asks of each.
"""
import json
import sys

import numpy


def defect(rows):
    return float(abs(rows @ rows.T - numpy.eye(len(rows))).max())


found = []
for line in sys.stdin:
    path, *sizes = line.split()
    rows, columns, rank = map(int, sizes)
    matrix = numpy.fromfile(path, dtype="<f4").reshape(rows, columns).astype("<f8")
    left = numpy.fromfile(path + ".left", dtype="<f8").reshape(rows, rank)
    right = numpy.fromfile(path + ".right", dtype="<f8").reshape(rank, columns)
    values = numpy.fromfile(path + ".values", dtype="<f8")
    exact = numpy.linalg.svd(matrix, compute_uv=False)
    norm = numpy.linalg.norm(exact)
    near, far = (right, left.T) if rows >= columns else (left.T, right)
    found.append({
        # Scaled first: squares of 1e-30 are not numbers of float32, and those of float64 lose digits.
        "excess": float((numpy.linalg.norm(matrix / norm - (left * (values / norm)) @ right) - numpy.linalg.norm(exact[rank:] / norm))),
        "values": float(abs(values - exact[:rank]).max() / exact[0]),
        "nearDefect": defect(near),
        "farDefect": defect(far) * float(exact[rank - 1] / exact[0]),
    })
json.dump(found, sys.stdout)
