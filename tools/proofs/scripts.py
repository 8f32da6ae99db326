"""The scripts, made of templates: constants from the sources, bounds that other scripts prove, products as compiled.

A line `name = product(a, b);` of a template stands for a product that is added to something, which a compiler may
contract to a fused multiply-add. `separate` rounds it, `fused` does not, and `either` takes it for any number within
a rounding of the exact product: whichever of its products a compiler contracts, that holds.
"""

from __future__ import annotations

import re
from pathlib import Path

from tools.proofs.proof import Proof
from tools.proofs.sources import ROOT

FOLDER = ROOT / "proofs"
COMMAND = "python -m tools.proofs --write"
GAPPA_OPTIONS = "#@ -Echange-threshold=0.0001\n"  # it else stops early, at a bound that differs from run to run
_PRODUCT = re.compile(r"^(\w+) = product\((\w+), (\w+)\);$", re.MULTILINE)
_PLACE = re.compile(r"%(\w+)%")
_COMMENTS = {".gappa": ("# ", ""), ".sollya": ("/* ", " */")}


def script_path(proof: Proof) -> Path:
    """Where the proof's script lies."""
    return FOLDER / "scripts" / (proof.name + Path(proof.template).suffix)


def script_text(proof: Proof) -> str:
    """The script of a proof, ready to run. Raises KeyError for a place in its template that nothing fills."""
    template = (FOLDER / "templates" / proof.template).read_text()
    values = dict(proof.values)
    values["EITHER"], hints = _either(template, values) if proof.products == "either" else ("", "")
    text = _PRODUCT.sub(_FORMS[proof.products], template) + hints
    opening, closing = _COMMENTS[Path(proof.template).suffix]
    options = GAPPA_OPTIONS if proof.tool == "gappa" else ""
    first = f"{opening}Generated from proofs/templates/{proof.template} by {COMMAND}: do not edit.{closing}\n"
    return first + options + _PLACE.sub(lambda place: values[place[1]], text)


_FORMS = {
    "separate": r"\1 = rnd(\2 * \3);",
    "fused": r"\1 = \2 * \3;",
    "either": r"\1 = (\2 * \3) * (1 + \1_relative) + \1_absolute;",
}


def _either(template: str, values: dict[str, str]) -> tuple[str, str]:
    """(hypotheses, hints) on the products of the template: each is off by U of itself and by TINY at most."""
    hypotheses, hints = "", ""
    for name, a, b in _PRODUCT.findall(template):
        hypotheses += f"\n  /\\ |{name}_relative| <= {values['U']} /\\ |{name}_absolute| <= {values['TINY']}"
        hints += f"{name} ~ {a} * {b};\n{name} - {a} * {b} -> ({a} * {b}) * {name}_relative + {name}_absolute;\n"
    return hypotheses, hints
