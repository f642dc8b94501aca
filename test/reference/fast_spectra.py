"""Singular values of matrices in float64 by LAPACK. Reads lines "file type rows columns"; writes file.values (float64)."""
import sys

import numpy

for line in sys.stdin:
    path, kind, rows, columns = line.split()
    matrix = numpy.fromfile(path, dtype="<f4" if kind == "float32" else "<f8").reshape(int(rows), int(columns))
    numpy.linalg.svd(matrix.astype("<f8"), compute_uv=False).astype("<f8").tofile(path + ".values")
