"""Values of GGUF, Keras, TensorFlow Lite and SavedModel files by name, and their kernels in PyTorch's order of axes."""
from pathlib import Path

import numpy

import gguf_tensors
import savedmodel_tensors
import tflite_tensors

GATES_KERAS = {"lstm": "ifco", "gru": "zrh", "rnn": "h"}


def arrays_of(path):
    if path.endswith(".gguf"):
        return {name: [values] for name, values in gguf_tensors.tensors_of(path)}
    if path.endswith(".tflite"):
        found = {}
        for name, values in tflite_tensors.tensors_of(path):
            found.setdefault(name, []).append(values)
        return found
    if path.endswith(".pb"):
        return {name: [values] for name, values in savedmodel_tensors.variables_of(str(Path(path).parent / "variables" / "variables"))}
    import keras_tensors  # h5py

    return {name: [values] for name, values in keras_tensors.tensors_of(path)}


def in_order_of_torch(path, row, w):
    """TensorFlow's kernels, (k..., in, out) or, of depthwise ones, (k..., in, multiplier), as (out, in, k...); TensorFlow Lite's from (out, k..., in)."""
    if row["kind"] not in ("conv", "conv_transpose") or not path.endswith((".h5", ".hdf5", ".tflite", ".pb")):
        return w
    if row["unfolding"] == "depthwise":
        kernel = w[0] if path.endswith(".tflite") else w.reshape(*w.shape[:-2], -1)
        return numpy.moveaxis(kernel, -1, 0)[:, None]
    if path.endswith(".tflite"):
        return numpy.moveaxis(w, -1, 1)
    return numpy.moveaxis(w, (-1, -2), (0, 1))


def gate_columns(w, kind, part):
    order = GATES_KERAS[kind]
    if part is None:
        return w
    return numpy.split(w, len(order), axis=1)[order.index(part.removeprefix("gate:"))]
