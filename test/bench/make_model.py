"""Makes a model file with the shapes of a known network and spectra of a power law over a noise bulk.

Usage: make_model.py gpt2 FILE.safetensors | llama FOLDER BLOCKS
gpt2: the shapes of GPT-2 small in float32, one file. llama: the shapes of Llama-2-7B in bfloat16 with BLOCKS of its
32 blocks, in shards of two blocks with an index. A matrix is A·B + noise: A·B of rank 256 with a scale that falls as
a power law, noise of the size that training leaves. The seed is fixed.
"""
import json
import pathlib
import struct
import sys

import numpy

RANK, EXPONENT, NOISE = 256, 0.8, 0.02


def matrix(random, rows, columns):
    rank = min(RANK, rows, columns)
    scale = (numpy.arange(1, rank + 1) ** -EXPONENT).astype(numpy.float32)
    left = random.standard_normal((rows, rank), dtype=numpy.float32) * (scale / numpy.sqrt(rows))
    right = random.standard_normal((rank, columns), dtype=numpy.float32)
    made = random.standard_normal((rows, columns), dtype=numpy.float32)
    made *= NOISE
    made += left @ right
    return made


def bfloat16(values):
    """Round to nearest, ties to even."""
    bits = values.view(numpy.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(numpy.uint16)


def write(path, shapes, random, dtype, encode, width):
    header, offset = {}, 0
    for name, shape in shapes.items():
        size = int(numpy.prod(shape)) * width
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for shape in shapes.values():
            values = matrix(random, *shape) if len(shape) == 2 else numpy.ones(shape, numpy.float32)
            file.write(encode(values).tobytes())


def gpt2(path):
    shapes = {"wte.weight": (50257, 768), "wpe.weight": (1024, 768)}
    for block in range(12):
        for name, shape in {"attn.c_attn": (768, 2304), "attn.c_proj": (768, 768), "mlp.c_fc": (768, 3072), "mlp.c_proj": (3072, 768)}.items():
            shapes[f"h.{block}.{name}.weight"] = shape
            shapes[f"h.{block}.{name}.bias"] = (shape[1],)
    write(path, shapes, numpy.random.default_rng(1), "F32", lambda values: values, 4)


def llama(folder, blocks):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    parts = [{"model.embed_tokens.weight": (32000, 4096)}]
    for block in range(blocks):
        if block % 2 == 0:
            parts.append({})
        shapes = {**{f"self_attn.{x}_proj": (4096, 4096) for x in "qkvo"}, "mlp.gate_proj": (11008, 4096), "mlp.up_proj": (11008, 4096), "mlp.down_proj": (4096, 11008)}
        parts[-1].update({f"model.layers.{block}.{name}.weight": shape for name, shape in shapes.items()})
        parts[-1][f"model.layers.{block}.input_layernorm.weight"] = (4096,)
    parts.append({"lm_head.weight": (32000, 4096)})
    weight_map = {}
    for number, shapes in enumerate(parts, 1):
        name = f"model-{number:05}-of-{len(parts):05}.safetensors"
        write(folder / name, shapes, numpy.random.default_rng(number), "BF16", bfloat16, 2)
        weight_map.update({tensor: name for tensor in shapes})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


if __name__ == "__main__":
    if sys.argv[1] == "gpt2":
        gpt2(sys.argv[2])
    else:
        llama(sys.argv[2], int(sys.argv[3]))
