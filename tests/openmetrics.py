# SPDX-License-Identifier: GPL-2.0-or-later
"""OpenMetrics 1.0 text, read as strictly as its specification has it (what vmview writes of it)."""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
NUMBER = r"-?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
META = re.compile(rf"# (TYPE|UNIT|HELP) ({NAME}) (.*)")
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? ({NUMBER})")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)')
HELP = re.compile(r'(?:[^\\"\n]|\\[\\"n])*')
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


class Wrong(ValueError):
    pass


def labels_of(text):
    """The labels between the braces, as a tuple of pairs in order of their names."""
    labels, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        if not match:
            raise Wrong(f"labels: {text[at:at + 60]!r}")
        if match[1] in labels or match[1].startswith("__"):
            raise Wrong(f"label {match[1]} twice, or reserved")
        labels[match[1]] = re.sub(r"\\.", lambda m: ESCAPES[m[0]], match[2])
        at = match.end()
        if match[3] and at == len(text):
            raise Wrong("a comma after the last label")
    return tuple(sorted(labels.items()))


class Family:
    def __init__(self, name):
        self.name, self.meta, self.samples = name, {}, {}

    def add_meta(self, key, text):
        if key in self.meta or self.samples:
            raise Wrong(f"{self.name}: {key} twice, or after a sample")
        if key == "TYPE" and text not in ("gauge", "counter"):
            raise Wrong(f"{self.name}: type {text}")
        if key == "UNIT" and not self.name.endswith("_" + text):
            raise Wrong(f"{self.name}: does not end in its unit {text}")
        if key == "HELP" and not HELP.fullmatch(text):
            raise Wrong(f"{self.name}: help has escapes that are none")
        self.meta[key] = text

    def add_sample(self, name, labels, value):
        if name != self.name + ("_total" if self.meta.get("TYPE") == "counter" else ""):
            raise Wrong(f"{name} is no sample of {self.name}")
        if self.meta.get("TYPE") == "gauge" and self.name.endswith("_total"):
            raise Wrong(f"{name}: only counters end in _total")
        if labels in self.samples:
            raise Wrong(f"{name}{dict(labels)} twice")
        if self.samples and {k for k, v in labels} != {k for k, v in next(iter(self.samples))}:
            raise Wrong(f"{name}: labels {labels} are others than those before")
        self.samples[labels] = float(value) if re.search(r"[.eE]", value) else int(value)


def parse(text):
    """{name: Family}; raises Wrong."""
    if not text.endswith("\n# EOF\n"):
        raise Wrong("does not end in # EOF")
    families, family = {}, None
    for line in text[:-len("# EOF\n")].splitlines():
        match = META.fullmatch(line)
        if match:
            if family is None or family.name != match[2]:
                if match[2] in families:
                    raise Wrong(f"{match[2]} is not in one piece")
                family = families[match[2]] = Family(match[2])
            family.add_meta(match[1], match[3])
            continue
        match = SAMPLE.fullmatch(line)
        if not match or family is None:
            raise Wrong(f"neither sample nor metadata: {line[:80]!r}")
        family.add_sample(match[1], labels_of(match[2] or ""), match[3])
    for family in families.values():
        if not family.samples or set(family.meta) - {"UNIT"} != {"TYPE", "HELP"}:
            raise Wrong(f"{family.name}: no sample, no type or no help")
    return families


def parse_with_client(text):
    """The same text through Prometheus's own parser for Python. False: it is not installed."""
    try:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
    except ImportError:
        return False
    list(text_string_to_metric_families(text))
    return True
