"""What h5py finds in an HDF5 file, as JSON on stdout; or made-up files in many forms of HDF5.

Usage: keras_tensors.py read FILE. For each dataset: name, shape, and the SHA-256 of its values in row-major order, as float32 (float64
for float64, null for what is no float). "keras" is that of the weights as Keras gives them to its own LSTM and GRU, where the file has
them in cuDNN's order.
Usage: keras_tensors.py write FOLDER. Writes files there that h5py can make: chunked, packed, big-endian, newer layouts, links.
"""
import hashlib
import json
import sys
from pathlib import Path

import h5py
import numpy

GATES = {"lstm": 4, "gru": 3}


def sha(values):
    return hashlib.sha256(numpy.ascontiguousarray(values).tobytes()).hexdigest()


def from_cudnn(name, group, values):
    """keras, `_convert_rnn_weights`: transposes each gate's columns; the input's are reshaped in Fortran's order."""
    recurrent, bias = group.get("recurrent_kernel:0"), group.get("bias:0")
    if recurrent is None or bias is None or values.ndim != 2:
        return values
    units, width = recurrent.shape
    gates = width // units
    if gates not in GATES.values() or bias.shape != (2 * width,):
        return values
    if name.startswith("recurrent"):
        return numpy.hstack([gate.T for gate in numpy.hsplit(values, gates)])
    return numpy.hstack([gate.T.reshape(gate.shape, order="F") for gate in numpy.hsplit(values, gates)])


def read(path):
    found = []
    with h5py.File(path, "r") as file:
        def add(name, item):
            if not isinstance(item, h5py.Dataset):
                return
            values = item[()]
            entry = {"name": name, "shape": list(item.shape), "sha": None, "keras": None}
            if item.dtype.kind == "f":
                kind = numpy.float64 if item.dtype.itemsize == 8 else numpy.float32
                values = numpy.asarray(values).astype(kind)
                entry["sha"], entry["keras"] = sha(values), sha(from_cudnn(name.split("/")[-1], item.parent, values))
            found.append(entry)
        file.visititems(add)
    json.dump(found, sys.stdout)


def tensors_of(path):
    """(name, values) of each dataset of floats, as Keras's own layers have them."""
    found = []
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, item: found.append((name, from_cudnn(name.split("/")[-1], item.parent, item[()]))) if isinstance(item, h5py.Dataset) and item.dtype.kind == "f" else None)
    return found


def write(folder):
    random = numpy.random.default_rng(5)

    def fill(file):
        dense = file.create_group("dense")
        dense.create_dataset("kernel:0", data=random.normal(size=(37, 21)).astype("<f4"))
        dense.create_dataset("bias:0", data=random.normal(size=21).astype("<f4"))
        conv = file.create_group("conv2d").create_group("conv2d")
        conv.create_dataset("kernel:0", data=random.normal(size=(3, 3, 5, 7)).astype("<f4"))

    with h5py.File(folder / "default.h5", "w") as file:
        fill(file)
        file.attrs["keras_version"] = "2.9.0"
        file.attrs["layer_names"] = [b"conv2d", b"dense"]
    for libver in ("v108", "v110", "latest"):
        with h5py.File(folder / f"{libver}.h5", "w", libver=(libver, libver if libver == "latest" else "latest")) as file:
            fill(file)
    with h5py.File(folder / "order.h5", "w", track_order=True) as file:
        fill(file)
    with h5py.File(folder / "userblock.h5", "w", userblock_size=1024) as file:
        fill(file)
    with h5py.File(folder / "many.h5", "w") as file:
        for index in range(300):
            file.create_dataset(f"layer_{index}/kernel:0", data=random.normal(size=(3, 4)))
    with h5py.File(folder / "types.h5", "w") as file:
        values = random.normal(size=(9, 10))
        for kind in ("<f2", ">f2", "<f4", ">f4", "<f8", ">f8"):
            file.create_dataset(f"x/{kind}", data=values.astype(kind))
        for kind in ("i1", "<i4", ">u8", "?"):
            file.create_dataset(f"y/{kind}", data=(values * 10).astype(kind))
        file.create_dataset("text", data="a text")
        file.create_dataset("texts", data=[b"a", b"bc"])
    with h5py.File(folder / "chunks.h5", "w") as file:
        values = random.normal(size=(53, 29)).astype("f4")
        file.create_dataset("plain/kernel:0", data=values, chunks=(10, 10))
        file.create_dataset("gzip/kernel:0", data=values, chunks=(16, 29), compression="gzip")
        file.create_dataset("all/kernel:0", data=values, chunks=(7, 5), compression="gzip", shuffle=True, fletcher32=True)
        file.create_dataset("many/kernel:0", data=random.normal(size=(200, 200)), chunks=(3, 3))
        file.create_dataset("cube/kernel:0", data=random.normal(size=(5, 6, 7, 8)).astype("f4"), chunks=(2, 4, 3, 8), compression="gzip")
        sparse = file.create_dataset("sparse/kernel:0", shape=(40, 40), dtype="f4", chunks=(10, 10))
        sparse[12:15, 3:9] = values[:3, :6]
        file.create_dataset("grown/kernel:0", data=values, maxshape=(None, 29))
    with h5py.File(folder / "links.h5", "w") as file:
        fill(file)
        file["again"] = file["dense"]
        file["soft"] = h5py.SoftLink("/dense")
        file["dangling"] = h5py.SoftLink("/nowhere")
        file["outside"] = h5py.ExternalLink("default.h5", "/dense")
        file["dense/loop"] = file["/"]
        file.attrs["model_config"] = "x" * 200_000


if __name__ == "__main__":
    if sys.argv[1] == "read":
        read(sys.argv[2])
    else:
        write(Path(sys.argv[2]))
