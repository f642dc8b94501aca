"""Which modules PEFT's rules select, and what Python's `re` finds: RankLens matches by itself.

Reads {"patterns": [[source, [text, …]], …], "selections": [{"names": […], "config": {…}}, …]} from its input. Prints for each
pattern null where Python refuses it, or for each text [fullmatch, match, group 1 of the match or null]; for each selection the
rank, alpha and whether it is targeted or excluded, of each name, or "error" where PEFT raises. The rules are PEFT's of August 2026:
tuners/tuners_utils.py (check_target_module_exists), utils/other.py (get_pattern_key, match_target_against_key),
tuners/lora/model.py (_create_and_replace).
"""
import json
import re
import sys
import warnings

warnings.simplefilter("ignore")


def of_pattern(source, texts):
    try:
        pattern = re.compile(source)
    except (re.error, OverflowError, RecursionError):
        return None
    out = []
    for text in texts:
        start = pattern.match(text)
        group = start.group(1) if start is not None and pattern.groups > 0 else None
        out.append([pattern.fullmatch(text) is not None, start is not None, group])
    return out


def excluded(config, name):
    exclude = config["excludeModules"]
    if exclude:
        if isinstance(exclude, str):
            if re.fullmatch(exclude, name):
                return True
        elif name in exclude or any(name.endswith("." + key) for key in exclude):
            return True
    return any(re.match(rf"(^|.*\.){module}($|\..*)", name) for module in config["modulesToSave"])


def targeted(config, name):
    targets = config["targetModules"]
    if targets is None:
        return False
    if isinstance(targets, str):
        return re.fullmatch(targets, name) is not None
    if name in targets:
        return True
    if not any(name.endswith("." + key) for key in targets):
        return False
    indices, patterns = config["layersToTransform"], config["layersPattern"]
    if indices is None or (isinstance(indices, list) and len(indices) == 0):
        return True
    index = None
    if patterns is None or len(patterns) == 0:
        index = re.match(r".*?\.[^.]*\.(\d+)\.", name)
    else:
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            index = re.match(rf".*?\.{pattern}\.(\d+)\.", name)
            if index is not None:
                break
    if index is None:
        return False
    number = int(index.group(1))
    return number == indices if isinstance(indices, int) else number in indices


def pattern_key(keys, name):
    return next((key for key in keys if re.match(rf"(.*\.)?({key})$", name)), name)


def of_selection(names, config):
    ranks, alphas = dict(config["rankPattern"]), dict(config["alphaPattern"])
    out = []
    for name in names:
        try:
            out.append({
                "targeted": not excluded(config, name) and targeted(config, name),
                "rank": ranks.get(pattern_key(ranks.keys(), name), config["rank"]),
                "alpha": alphas.get(pattern_key(alphas.keys(), name), config["alpha"]),
            })
        except (re.error, TypeError, ValueError):
            out.append("error")
    return out


def main():
    jobs = json.load(sys.stdin)
    json.dump({
        "patterns": [of_pattern(source, texts) for source, texts in jobs["patterns"]],
        "selections": [of_selection(job["names"], job["config"]) for job in jobs["selections"]],
    }, sys.stdout)


main()
