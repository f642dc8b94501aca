"""Adapters, formed in full: what RankLens measures through the factors alone.

Run with a folder, writes files there as PEFT, kohya's scripts, LyCORIS, diffusers and MLX write them, and prints for each
file what numpy finds for the change that every adapter makes, as JSON: {file: {module: reference}}.
"""
import json
import struct
import sys
from pathlib import Path

import numpy
import torch

from measures import EPSILON, measures, plain

KINDS = {"float32": "F32", "float16": "F16", "float64": "F64", "int64": "I64"}


def reference(change, rank, epsilon, values=None):
    """Of a change W, out first, and the largest rank that its factors allow: K. values: all its singular values, if known."""
    matrix = numpy.asarray(change, numpy.float64)
    found = measures(matrix.reshape(matrix.shape[0], -1), epsilon, values=values)
    rows, columns = matrix.reshape(matrix.shape[0], -1).shape
    values = numpy.array(found["singularValues"][:rank])
    largest = values[0] if len(values) else 0
    tolerance = max(rows, columns) * epsilon if epsilon < 2.0**-11 else epsilon / 2 * numpy.linalg.norm(values / (largest or 1))
    condition = None if len(values) == 0 or largest == 0 or values[-1] / largest <= tolerance else largest / values[-1]
    return {**found, "utilization": found["effectiveRank"] / rank, "conditionNumber": condition, "singularValues": list(values)}


def low_rank(arrays, name, config, epsilon):
    """The reference of B·A with its scale, of PEFT's and cloneofsimo's names, or in a list without names; None where there is no such pair."""
    named = [(name + ".lora_A.weight", name + ".lora_B.weight"), (name + ":down", name + ":up")]
    listed = [(str(2 * number + 1), str(2 * number)) for number in [int(name.removeprefix("pair:"))]] if name.startswith("pair:") else []
    for down, up in named + listed:
        if down in arrays:
            a, b = (numpy.asarray(arrays[key][0], numpy.float64) for key in (down, up))
            scale = config["lora_alpha"] / config["r"] if config else 1.0
            # The SVD of one factor, then of what it leaves of the other: minutes less than of the product.
            _, s, v = numpy.linalg.svd(scale * b, full_matrices=False)
            change = scale * (b @ a)
            values = numpy.zeros(min(change.shape))
            values[: a.shape[0]] = numpy.linalg.svd((s[:, None] * v) @ a, compute_uv=False)
            return reference(change, a.shape[0], epsilon, values)
    return None


def config_beside(path):
    config = Path(path).parent / "adapter_config.json"
    return json.loads(config.read_text()) if config.exists() else None


# --- Made-up files -----------------------------------------------------------------------------------------------

random = numpy.random.default_rng(7)


def gaussian(*shape, dtype="float32"):
    return (random.standard_normal(shape) / 3).astype(dtype)


def write(path, tensors):
    path.parent.mkdir(parents=True, exist_ok=True)
    header, data = {}, b""
    for name, values in tensors.items():
        values = numpy.ascontiguousarray(values)
        header[name] = {"dtype": KINDS[str(values.dtype)], "shape": list(values.shape), "data_offsets": [len(data), len(data) + values.nbytes]}
        data += values.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def wide(values):
    return torch.from_numpy(numpy.asarray(values, numpy.float64))


def tucker(core, a, b):
    """lycoris/functional: rebuild_tucker."""
    return torch.einsum("i j ..., i p, j r -> p r ...", wide(core), wide(a), wide(b)).numpy()


def kron(a, b):
    """lycoris/functional/lokr.py: make_kron."""
    a, b = wide(a).contiguous(), wide(b).contiguous()
    while a.ndim < b.ndim:
        a = a.unsqueeze(-1)
    return torch.kron(a, b).numpy()


def peft(folder, **config):
    tensors, expected = {}, {}
    ranks, alphas, root = config.get("rank_pattern", {}), config.get("alpha_pattern", {}), config.get("use_rslora", False)
    for module, size in (("model.layers.0.self_attn.q_proj", (48, 40)), ("model.layers.0.mlp.down_proj", (40, 96)), ("model.layers.1.self_attn.q_proj", (48, 40)), ("model.layers.10.self_attn.k_proj", (48, 40))):
        rank = next((ranks[key] for key in ranks if module.endswith("." + key)), config["r"])
        alpha = next((alphas[key] for key in alphas if module.endswith("." + key)), config["lora_alpha"])
        a, b = gaussian(rank, size[1]), gaussian(size[0], rank)
        name = f"base_model.model.{module}"
        tensors |= {f"{name}.lora_A.weight": a, f"{name}.lora_B.weight": b}
        expected[name] = reference(alpha / (rank**0.5 if root else rank) * (wide(b) @ wide(a)), rank, EPSILON["float32"])
    a, b = gaussian(config["r"], 60), gaussian(24, config["r"])
    tensors |= {"base_model.model.embed_tokens.lora_embedding_A": a, "base_model.model.embed_tokens.lora_embedding_B": b, "base_model.model.lm_head.weight": gaussian(20, 24)}
    expected["base_model.model.embed_tokens"] = reference(config["lora_alpha"] / (config["r"] ** 0.5 if root else config["r"]) * (wide(b) @ wide(a)), config["r"], EPSILON["float32"])
    write(folder / "adapter_model.safetensors", tensors)
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "base_model_name_or_path": "made/up", **config}))
    return expected


def adalora(folder):
    a, b, e = gaussian(6, 40), gaussian(48, 6), gaussian(6, 1)
    name = "base_model.model.fc"
    write(folder / "adapter_model.safetensors", {f"{name}.lora_A": a, f"{name}.lora_B": b, f"{name}.lora_E": e})
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "ADALORA", "r": 6, "lora_alpha": 12}))
    return {name: reference(2 * (wide(b) @ (wide(a) * wide(e))), 6, EPSILON["float32"])}


def kohya(path):
    linear, conv, core = "lora_unet_down_blocks_0_attentions_1_proj_in", "lora_unet_down_blocks_1_resnets_0_conv1", "lora_unet_mid_block_resnets_1_conv2"
    half = {"dtype": "float16"}
    down, up = gaussian(8, 40, **half), gaussian(64, 8, **half)
    conv_down, conv_up = gaussian(4, 12, 3, 3), gaussian(20, 4, 1, 1)
    core_down, core_mid, core_up = gaussian(5, 24, 1, 1), gaussian(5, 5, 3, 3), gaussian(32, 5, 1, 1)
    write(path, {
        f"{linear}.lora_down.weight": down, f"{linear}.lora_up.weight": up, f"{linear}.alpha": numpy.array(4.0, "float16"),
        f"{conv}.lora_down.weight": conv_down, f"{conv}.lora_up.weight": conv_up, f"{conv}.alpha": numpy.array(2, "int64"), f"{conv}.dora_scale": gaussian(20, 1, 1, 1),
        f"{core}.lora_down.weight": core_down, f"{core}.lora_mid.weight": core_mid, f"{core}.lora_up.weight": core_up, f"{core}.alpha": numpy.array(5.0, "float32"),
    })
    conv_change = 0.5 * (wide(conv_up).reshape(20, 4) @ wide(conv_down).reshape(4, -1))
    core_change = torch.einsum("o a, a b k l, b i -> o i k l", wide(core_up).reshape(32, 5), wide(core_mid), wide(core_down).reshape(5, 24))
    return {
        linear: reference(0.5 * (wide(up) @ wide(down)), 8, EPSILON["float16"]),
        conv: reference(conv_change, 4, EPSILON["float32"]),
        core: reference(core_change, 5, EPSILON["float32"]),
    }


def lycoris(path):
    tensors, expected = {}, {}

    def add(module, change, rank, scale, alpha, **parts):
        tensors.update({f"{module}.{part}": values for part, values in parts.items()})
        tensors[f"{module}.alpha"] = numpy.array(alpha, "float32")
        expected[module] = reference(scale * change, rank, EPSILON["float32"])

    # rank² below both sides, and above.
    for module, rank in (("lycoris_a", 4), ("lycoris_b", 9)):
        a1, b1, a2, b2 = gaussian(48, rank), gaussian(rank, 40), gaussian(48, rank), gaussian(rank, 40)
        add(module, ((wide(a1) @ wide(b1)) * (wide(a2) @ wide(b2))).numpy(), min(rank**2, 40), 1 / rank, 1.0, hada_w1_a=a1, hada_w1_b=b1, hada_w2_a=a2, hada_w2_b=b2)
    t1, t2, a1, a2, b1, b2 = gaussian(3, 3, 3, 3), gaussian(3, 3, 3, 3), gaussian(3, 24), gaussian(3, 24), gaussian(3, 12), gaussian(3, 12)
    add("lycoris_c", tucker(t1, a1, b1) * tucker(t2, a2, b2), 9, 2, 6.0, hada_t1=t1, hada_t2=t2, hada_w1_a=a1, hada_w1_b=b1, hada_w2_a=a2, hada_w2_b=b2)

    w1, w2 = gaussian(4, 8), gaussian(16, 6)
    add("lycoris_d", kron(w1, w2), 4 * 6, 1, 16.0, lokr_w1=w1, lokr_w2=w2)
    w1, w2_a, w2_b = gaussian(4, 4), gaussian(16, 3), gaussian(3, 12)
    add("lycoris_e", kron(w1, (wide(w2_a) @ wide(w2_b)).numpy()), 4 * 3, 2 / 3, 2.0, lokr_w1=w1, lokr_w2_a=w2_a, lokr_w2_b=w2_b)
    w1_a, w1_b, w2_a, w2_b, t2 = gaussian(6, 2), gaussian(2, 6), gaussian(2, 8), gaussian(2, 5), gaussian(2, 2, 3, 3)
    add("lycoris_f", kron((wide(w1_a) @ wide(w1_b)).numpy(), tucker(t2, w2_a, w2_b)), 4, 1, 2.0, lokr_w1_a=w1_a, lokr_w1_b=w1_b, lokr_w2_a=w2_a, lokr_w2_b=w2_b, lokr_t2=t2)
    w1, w2_a, w2_b = gaussian(3, 3), gaussian(8, 2), gaussian(2, 5 * 9)
    add("lycoris_g", numpy.kron(w1.astype("float64"), (wide(w2_a) @ wide(w2_b)).numpy()), 6, 2, 4.0, lokr_w1=w1, lokr_w2_a=w2_a, lokr_w2_b=w2_b)
    write(path, tensors)
    return expected


def diffusers(path):
    tensors, expected = {}, {}
    for module, down, up in (
        ("unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q", ".lora_A.weight", ".lora_B.weight"),
        ("unet.mid_block.attentions.0.transformer_blocks.0.attn2.processor.to_k", "_lora.down.weight", "_lora.up.weight"),
        ("text_encoder.text_model.encoder.layers.3.self_attn.q_proj", ".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight"),
        ("transformer.single_blocks.1.attn.to_out.0", ".lora.down.weight", ".lora.up.weight"),
    ):
        a, b = gaussian(4, 32), gaussian(56, 4)
        tensors |= {module + down: a, module + up: b}
        expected[module] = reference(wide(b) @ wide(a), 4, EPSILON["float32"])
    write(path, tensors)
    return expected


def mlx(folder):
    a, b = gaussian(32, 4), gaussian(4, 32)
    write(folder / "adapters.safetensors", {"model.layers.0.self_attn.q_proj.lora_a": a, "model.layers.0.self_attn.q_proj.lora_b": b})
    (folder / "adapter_config.json").write_text(json.dumps({"fine_tune_type": "lora", "lora_parameters": {"rank": 4, "dropout": 0.0, "scale": 20.0}}))
    return {"model.layers.0.self_attn.q_proj": reference(20 * (wide(a) @ wide(b)), 4, EPSILON["float32"])}


def main(folder):
    patterns = {"rank_pattern": {"down_proj": 3, "layers.1.self_attn.q_proj": 12}, "alpha_pattern": {"down_proj": 30, "layers.1.self_attn.q_proj": 5}}
    expected = {
        "peft/adapter_model.safetensors": peft(folder / "peft", r=8, lora_alpha=16),
        "patterns/adapter_model.safetensors": peft(folder / "patterns", r=8, lora_alpha=16, **patterns),
        "rslora/adapter_model.safetensors": peft(folder / "rslora", r=4, lora_alpha=2, use_rslora=True, **patterns),
        "adalora/adapter_model.safetensors": adalora(folder / "adalora"),
        "kohya.safetensors": kohya(folder / "kohya.safetensors"),
        "lycoris.safetensors": lycoris(folder / "lycoris.safetensors"),
        "diffusers.safetensors": diffusers(folder / "diffusers.safetensors"),
        "mlx/adapters.safetensors": mlx(folder / "mlx"),
    }
    json.dump(expected, sys.stdout, default=plain)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
