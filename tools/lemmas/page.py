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

from gradlab.bounds.rounding_counts import ACCURATE_BETA
from gradlab.measure.function_errors import known_errors
from gradlab.storage.files import write_whole
from tools.lemmas import plain, store
from tools.lemmas.inequality import SHOWN
from tools.lemmas.search import Largest
from tools.lemmas.table import INEQUALITIES

ROOT = Path(__file__).parents[2]
TEMPLATE, PAGE = ROOT / "proofs" / "accuracy.md", ROOT / "docs" / "accuracy.md"
PLAIN = ("error", "pair -/ exact", "g -/ exact", "g -/ quotient", "s -/ Y")  # what a script calls its result
VARIANT = re.compile(
    r"(, (any of the products|every product) fused"
    r"|[,:] without fused multiply-add|: the (larger|smaller) product fused)$"
)
PARTS = ("loss", "target", "others")
COMPENSATED = ("accurate", "fused_accurate", "fused", "complement", "widened")
FINEST_FIRST = (*COMPENSATED, "shifted", "blocked", "log_space", "online", "textbook")
SEARCHED = ("accurate", "fused_accurate", "widened", "complement", "shifted")


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
    return {
        "beta64": f"{plain.BETA:g}",
        "lambda64": f"{plain.LAMBDA:g}",
        "beta32": f"{ACCURATE_BETA:g}",
        "found_exp": _largest_known("exp", "float64"),
        "found_log1p": _largest_known("log1p", "float64"),
        "exp32": _largest_known("exp", "float32"),
        "within64": f"{6 * plain.BETA + 5:g}",
        "level": f"{6 * ACCURATE_BETA + 4:.1f}",
        "machine": _by_machine(),
        "searched": _largest_found(),
        "exhaustive": _exhaustive(),
    }


def _largest_known(function: str, dtype: str) -> str:
    """The largest error in ULP of any build of NumPy that was measured."""
    return f"{max(errors[function, dtype].ulp for errors in known_errors().values()):.2f}"


def _by_machine() -> str:
    """What Sollya and Gappa proved, from proofs/log.json: of the variants of a script the largest bound."""
    proofs: dict[str, dict[str, Any]] = json.loads((ROOT / "proofs" / "log.json").read_text())["proofs"]
    found: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for _, proof in sorted(proofs.items(), key=lambda one: (one[1]["step"], one[0])):
        for bound in _main_bounds(proof):
            statement = VARIANT.sub("", proof["statement"])
            key = (proof["step"], proof["tool"], statement if bound in PLAIN else f"{statement}: {bound}")
            found.setdefault(key, []).append((proof["bounds"][bound], proof["claims"][bound]))
    lines = ["| step | tool | what, of all its variants | proved | claimed |", "|---|---|---|---|---|"]
    for (step, tool, what), pairs in found.items():
        proved, claimed = (f"{max(numbers):.4g}" for numbers in zip(*pairs, strict=True))
        lines.append(f"| {step} | {tool} | {what.replace('|', chr(92) + '|')} | {proved} | {claimed} |")
    return "\n".join(lines)


def _main_bounds(proof: dict[str, Any]) -> list[str]:
    """The bounds of a script that are its result: its errors if it has any, and not what it takes on the way."""
    claims = list(proof["claims"])
    errors = [bound for bound in claims if bound in PLAIN]
    return errors or claims


def _largest_found() -> str:
    """The largest errors in ULP that any search has found, with the number of classes."""
    corpus: list[dict[str, Any]] = json.loads((ROOT / "tests/implementations/hardest.json").read_text())
    found = {(one["implementation"], one["dtype"], one["part"]): float(one["ulp"]) for one in corpus}
    table = store.read()
    for dtype in store.DTYPES:
        for name, prefix in (("accurate", ""), ("fused_accurate", "kernel_")):
            for part, inequality in zip(PARTS, ("loss", "target", "another_entry"), strict=True):
                ulp = table[dtype][f"{prefix}{inequality}_in_ulp"].used * SHOWN[dtype]
                found[name, dtype, part] = max(ulp, found[name, dtype, part])
    lines = ["| | | loss | target's entry | others |", "|---|---|---|---|---|"]
    for name in SEARCHED:
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
