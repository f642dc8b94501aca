"""What the onnx package says of a factorized model: whether it is valid, and which parts differ from the original."""
import json
import sys

import onnx

original, candidate = onnx.load(sys.argv[1]), onnx.load(sys.argv[2])
try:
    onnx.checker.check_model(original)
    valid = True
except Exception:
    valid = False
if valid:
    onnx.checker.check_model(sys.argv[2])


def parts(model):
    graph = model.graph
    return {"nodes": [node.SerializeToString() for node in graph.node], "initializers": [tensor.SerializeToString() for tensor in graph.initializer],
            "inputs": [value.SerializeToString() for value in graph.input]}


before, after = parts(original), parts(candidate)
report = {"valid": valid}
for kind in before:
    old, new = set(before[kind]), set(after[kind])
    report[kind] = {"gone": len(old - new), "new": len(new - old)}
    kept = [part for part in after[kind] if part in old]
    report[kind]["order"] = kept == [part for part in before[kind] if part in new]
for model in (original, candidate):
    for field in ("node", "initializer", "input"):
        model.graph.ClearField(field)
report["rest"] = original.SerializeToString() == candidate.SerializeToString()
names = [node.name for node in onnx.load(sys.argv[2]).graph.node if node.name]
report["unique"] = len(names) - len(set(names))
print(json.dumps(report))
