"""Writes one object as Python pickles it, in every protocol, base64, as a JSON list on stdout.

Usage: pickles.py
"""
import base64
import collections
import json
import pickle


class Plain:
    pass


shared = ["shared", 1]
cycle = ["cycle"]
cycle.append(cycle)
plain = Plain()
plain.field = "value"
VALUE = {
    "none": None, "true": True, "false": False,
    "integers": [0, 1, 255, 256, 65535, 65536, -1, -256, 2**31 - 1, -(2**31), 2**31, 2**53 - 1, -(2**53) + 1],
    "large": [2**64, -(2**64), 2**200, -(2**63)],
    "floats": [0.0, -0.5, 1e300, 3.141592653589793, float("inf"), -1e-310],
    "texts": ["", "plain", "ä € 😀", "tab\tline\nquote'\"\\", "x" * 300],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
    "nested": {"a": {"b": [{"c": (1, [2])}]}, 7: "seven"},
    "shared": [shared, shared],
    "cycle": cycle,
    "ordered": collections.OrderedDict([("x", 1), ("y", 2)]),
    "default": collections.defaultdict(list, {"k": [1]}),
    "object": plain,
    "many": list(range(2500)),
    "dict_of_many": {str(index): index for index in range(1500)},
}
print(json.dumps([base64.b64encode(pickle.dumps(VALUE, protocol)).decode() for protocol in range(6)]))
