"""Reads JSON lists of [diagonal, offDiagonal, kind]; writes their values by LAPACK in float64, ascending: eigenvalues of the
symmetric tridiagonal matrix ("eigen"), or singular values of the upper bidiagonal one ("singular")."""
import json
import sys

import numpy


def values(diagonal, beside, kind):
    matrix = numpy.diag(diagonal).astype(float)
    index = numpy.arange(len(beside))
    matrix[index, index + 1] = beside
    if kind == "singular":
        return numpy.linalg.svd(matrix, compute_uv=False)[::-1]
    matrix[index + 1, index] = beside
    return numpy.linalg.eigvalsh(matrix)


json.dump([values(*each).tolist() for each in json.load(sys.stdin)], sys.stdout)
