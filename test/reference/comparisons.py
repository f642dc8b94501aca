"""The difference of two models, or what an adapter adds, by numpy in float64. Prints JSON: {layer: figures}.

Run as: comparisons.py BASE OTHER [SCALE]; with a scale, OTHER is a LoRA whose change is SCALE · B · A.
"""
import json
import sys

import numpy

from real_models import safetensors_arrays


def figures(change, base):
    matrix = numpy.asarray(change, numpy.float64)
    values = numpy.linalg.svd(matrix, compute_uv=False)
    energy = numpy.cumsum(values**2) / numpy.sum(values**2)
    shares = values[values > 0] / numpy.sum(values)
    return {
        "frobeniusNorm": float(numpy.linalg.norm(matrix)),
        "relativeNorm": float(numpy.linalg.norm(matrix) / numpy.linalg.norm(numpy.asarray(base, numpy.float64))),
        "stableRank": float(numpy.sum(values**2) / values[0] ** 2),
        "effectiveRank": float(numpy.exp(-numpy.sum(shares * numpy.log(shares)))),
        "energyRank": {share: int(numpy.argmax(energy >= float(share)) + 1) for share in ("0.9", "0.95", "0.99")},
    }


base, other = ({name: arrays[0] for name, arrays in safetensors_arrays(path).items()} for path in sys.argv[1:3])
if len(sys.argv) > 3:
    scale, found = float(sys.argv[3]), {}
    for name in other:
        if not name.endswith(".lora_A.weight"):
            continue
        module = name[: -len(".lora_A.weight")]
        change = scale * numpy.asarray(other[module + ".lora_B.weight"], numpy.float64) @ numpy.asarray(other[name], numpy.float64)
        found[module] = figures(change, base[module[len("base_model.model."):] + ".weight"])
else:
    found = {name: figures(numpy.asarray(other[name], numpy.float64) - base[name], base[name]) for name in other if name in base and numpy.ndim(base[name]) == 2}
print(json.dumps(found))
