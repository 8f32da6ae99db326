"""docs/accuracy.md: proofs/accuracy.md, with what was found filled in.

    python -m tools.lemmas.page [--write]

Prints the page, or writes it. A test compares the two.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from gradlab.harness.files import write_whole
from gradlab.roundings import ACCURATE_BETA
from tools.lemmas import plain, store
from tools.lemmas.search import Largest
from tools.lemmas.table import INEQUALITIES

ROOT = Path(__file__).parents[2]
TEMPLATE, PAGE = ROOT / "proofs" / "accuracy.md", ROOT / "docs" / "accuracy.md"
PARTS = ("loss", "target", "others")
COMPENSATED = ("accurate", "fused_accurate", "fused", "complement", "widened")
FINEST_FIRST = (*COMPENSATED, "shifted", "blocked", "log_space", "online", "textbook")
SHOWN = ("accurate", "fused_accurate", "widened", "complement", "shifted")


def page() -> str:
    """The whole page. Raises KeyError where the template asks for something that there is not."""
    figures = _figures()

    def filled(match: re.Match[str]) -> str:
        name, _, step = match[1].partition(" ")
        return inequalities(step) if name == "step" else figures[name]

    return re.sub(r"\{\{([a-z0-9_ ]+)\}\}", filled, TEMPLATE.read_text(encoding="utf-8"))


def inequalities(step: str) -> str:
    """The table of a step, with the largest part of each inequality that was used in each dtype."""
    table = store.read()
    lines = ["| inequality | by | float32 | float64 |", "|---|---|---|---|"]
    for one in INEQUALITIES:
        if one.step == step:
            parts = (_part(table[dtype].get(one.name)) for dtype in store.DTYPES)
            by = f"{one.why}; {one.far_from_it}" if one.far_from_it else one.why
            statement = one.statement.replace("|", "\\|")
            lines.append(f"| {statement} | {by.replace('|', chr(92) + '|')} | {' | '.join(parts)} |")
    return "\n".join(lines)


def _part(largest: Largest | None) -> str:
    if largest is None:
        return ""
    return "0" if largest.used == 0 else f"{largest.used:.3f}" if largest.used >= 0.001 else f"{largest.used:.0e}"


def _figures() -> dict[str, str]:
    beta = {"float32": f"{plain.BETA['float32']:g}", "float64": f"{plain.BETA['float64']:g}"}
    return {
        "beta32": beta["float32"],
        "beta64": beta["float64"],
        "lambda64": f"{plain.LAMBDA:g}",
        "within64": f"{6 * plain.BETA['float64'] + 5:.1f}",
        "within32": f"{4 * plain.BETA['float32'] + 4.1:.1f}",
        "level": f"{6 * ACCURATE_BETA + 4:.1f}",
        "machine": _by_machine(),
        "searched": _searched(),
        "exhaustive": _exhaustive(),
    }


def _by_machine() -> str:
    """What Sollya and Gappa proved, from proofs/log.json."""
    proofs: dict[str, dict[str, Any]] = json.loads((ROOT / "proofs" / "log.json").read_text())["proofs"]
    lines = ["| step | script | what | proved | claimed |", "|---|---|---|---|---|"]
    for name, proof in sorted(proofs.items(), key=lambda one: (one[1]["step"], one[0])):
        for bound, value in proof["bounds"].items():
            claim = proof["claims"].get(bound)
            claimed = "" if claim is None else f"{claim:.4g}"
            what = f"{proof['statement']}: {bound}".replace("|", "\\|")
            lines.append(f"| {proof['step']} | `{name}` ({proof['tool']}) | {what} | {value:.4g} | {claimed} |")
    return "\n".join(lines)


def _searched() -> str:
    """The largest errors in ULP that any search has found, with the number of classes."""
    corpus: list[dict[str, Any]] = json.loads((ROOT / "tests/implementations/hardest.json").read_text())
    found = {(one["implementation"], one["dtype"], one["part"]): float(one["ulp"]) for one in corpus}
    table = store.read()
    for dtype in store.DTYPES:
        for name, prefix in (("accurate", ""), ("fused_accurate", "kernel_")):
            for part, inequality in zip(PARTS, ("loss", "target", "another_entry"), strict=True):
                ulp = table[dtype][f"{prefix}{inequality}_in_ulp"].used * plain.SHOWN[dtype]
                found[name, dtype, part] = max(ulp, found[name, dtype, part])
    lines = ["| | | loss | target's entry | others |", "|---|---|---|---|---|"]
    for name in SHOWN:
        for dtype in store.DTYPES:
            parts = [found.get((name, dtype, part)) for part in PARTS]
            if None not in parts:
                lines.append(f"| `{name}` | {dtype} | {' | '.join(_ulp(part) for part in parts if part is not None)} |")
    return "\n".join(lines)


def _exhaustive() -> str:
    """The largest errors in the certificates, with the label at the maximum and at the other class."""
    header = ["loss", "target", "others"]
    lines = [f"| | at the maximum: {' | '.join(header)} | at the other class: {' | '.join(header)} |", "|---" * 7 + "|"]
    for name in FINEST_FIRST:
        (one,) = json.loads((ROOT / f"docs/exhaustive/{name}.json").read_text())["implementations"]
        results = {(result["label"], result["part"]): result for result in one["results"]}
        cells = [_cell(results[label, part]) for label in (0, 1) for part in PARTS]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(result: dict[str, Any]) -> str:
    star = "" if result["coverage"] == "exhaustive" else " *"
    return _ulp(float(result["worst"]["ulp"])) + star


def _ulp(value: float) -> str:
    if value < 100:
        return f"{value:.3f}"
    return f"{value:.0f}" if value < 1e4 else f"{value:.2e}".replace("e+0", "e").replace("e+", "e")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write_whole(PAGE, page())
    else:
        print(page(), end="")
