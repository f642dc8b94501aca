"""Writes arrays with NumPy, and tells what it reads of files.

Usage: numpy_arrays.py write FOLDER, numpy_arrays.py read FILE... The latter writes a JSON list for each file: name, shape,
type, and the SHA-256 of the values as float32 (float64 for float64) in row-major order; null for what is no float.
"""
import hashlib
import json
import os
import sys

import numpy

FLOATS = (numpy.float16, numpy.float32, numpy.float64)


def write(folder):
    at = lambda name: os.path.join(folder, name)
    random = numpy.random.default_rng(3)
    weight = random.standard_normal((7, 12))
    arrays = {f"{order}{kind}_{layout}": numpy.asarray(weight.astype(f"{order}{kind}"), order=layout)
              for order in "<>" for kind in ("f2", "f4", "f8") for layout in "CF"}
    cube = random.standard_normal((3, 4, 5, 2)).astype("f4")
    arrays["cube_F"] = numpy.asfortranarray(cube)
    arrays["special"] = numpy.array([[0, -0.0, numpy.inf, -numpy.inf], [1e-45, 3e38, 1, 2]], "f4")
    arrays["transposed"] = cube[0, :, :, 0].T
    numpy.savez(at("stored.npz"), **{key.replace("<", "le_").replace(">", "be_"): value for key, value in arrays.items()})
    numpy.savez_compressed(at("deflated.npz"), **{key.replace("<", "le_").replace(">", "be_"): value for key, value in arrays.items()})
    others = {"integers": numpy.arange(12).reshape(3, 4), "flags": numpy.ones((4, 4), bool), "complex": numpy.ones((4, 4), complex), "text": numpy.array([["a", "bc"]] * 9),
              "long_double": numpy.ones((4, 4), numpy.longdouble), "dates": numpy.zeros((4, 4), "M8[s]"), "objects": numpy.array([[{}, None]] * 9, object),
              "records": numpy.zeros((4, 4), [("x", "f4"), ("y", "i4", 3)]), "empty": numpy.zeros((0, 4)), "scalar": numpy.float32(3), "weight": weight}
    numpy.savez(at("others.npz"), **others)
    numpy.save(at("matrix.npy"), weight)
    numpy.save(at("fortran.npy"), numpy.asfortranarray(weight.astype("f4")))
    for version in ((1, 0), (2, 0), (3, 0)):
        with open(at(f"version{version[0]}.npy"), "wb") as file:
            numpy.lib.format.write_array(file, weight.astype("f4"), version)


def described(name, array):
    is_float = array.dtype.type in FLOATS
    wide = array.astype("<f8" if array.dtype.type is numpy.float64 else "<f4", order="C") if is_float else None
    return {"name": name, "shape": list(array.shape), "sha": hashlib.sha256(wide.tobytes()).hexdigest() if is_float else None}


def read(path):
    loaded = numpy.load(path, allow_pickle=True)
    if isinstance(loaded, numpy.ndarray):
        return [described(os.path.basename(path)[: -len(".npy")], loaded)]
    return [described(name, loaded[name]) for name in loaded.files]


if sys.argv[1] == "write":
    write(sys.argv[2])
else:
    json.dump([read(path) for path in sys.argv[2:]], sys.stdout)
