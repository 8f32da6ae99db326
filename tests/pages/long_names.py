"""A report in which every text that has no form of its own is one long word, and what a browser finds too wide."""

from __future__ import annotations

import copy
from typing import Any

WORD = "a_name_without_any_place_to_break_" * 6
KEPT = {  # what is one of a few words, or numbers in hexadecimal
    "schema", "scope", "verdict", "level", "dtype", "targets", "axis", "reduction", "mean_over", "digest", "logits",
    "features", "weight", "bias", "label_smoothing", "softcap", "temperature", "z_loss", "poly_epsilon", "ratio",
    "tolerance", "ulp", "dtypes", "verdicts", "curves", "expected_of", "accumulates_in", "strength", "parts", "takes",
    "returns", "source",
}  # fmt: skip

# Elements that are wider inside than they are, but for those that scroll, draw, or are there for the ear alone.
TOO_WIDE = """
for (const one of document.querySelectorAll("details")) one.open = true;
const scrolls = (one) => one.closest(".scroll, pre, svg, .visually-hidden, script, style") !== null;
const found = [...document.body.querySelectorAll("*")].filter((one) => !scrolls(one)
  && (one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0
      || one.getBoundingClientRect().right > document.documentElement.clientWidth + 1));
return found.map((one) => `${one.tagName}.${one.className}: ${one.textContent.trim().slice(0, 60)}`);
"""


def with_long_names(document: Any) -> Any:
    """The document with WORD before each text that code, a machine or another version may make as long as it likes."""
    found = copy.deepcopy(document)
    names = {one["name"]: f"{WORD}{number}" for number, one in enumerate(found["implementations"])}
    for measured in found["timing"]["measurements"]:
        measured["implementation"] = names[measured["implementation"]]
    for entry in found["implementations"]:
        entry["name"] = names[entry["name"]]
    return {key: value if key in ("schema", "profile") else _long(key, value) for key, value in found.items()}


def _long(key: str, value: Any) -> Any:
    if key in KEPT or key == "implementation":
        return value
    if isinstance(value, str):
        return value if value.startswith(WORD) else WORD + value
    if isinstance(value, list):
        return [_long("", one) for one in value]
    if isinstance(value, dict):
        return {name: _long(name, one) for name, one in value.items()}
    return value
