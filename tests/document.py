# SPDX-License-Identifier: GPL-2.0-or-later
"""What holds for every JSON document of vmview, beyond its schema."""
import json


def _members(pairs):
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"twice in an object: {sorted({k for k in keys if keys.count(k) > 1})}")
    return members


def load(text):
    """The document; ValueError where text is none, or has a key twice in an object."""
    return json.loads(text, object_pairs_hook=_members)


def unexplained(document, path="", above=None):
    """Paths of nulls without a reason in "missing" of the object that holds them.

    What belongs to an object in a row ("swap.type") is explained beside that object.
    """
    if isinstance(document, list):
        return [found for entry in document for found in unexplained(entry, f"{path}[]")]
    if not isinstance(document, dict):
        return []
    reasons = dict(document.get("missing") or {})
    reasons.update(above or {})
    found = []
    for key, value in document.items():
        if value is None:
            found += [] if reasons.get(key) else [f"{path}.{key}"]
        elif key != "missing":
            inner = {name[len(key) + 1:]: why for name, why in reasons.items()
                     if name.startswith(f"{key}.")}
            found += unexplained(value, f"{path}.{key}", inner)
    return found
