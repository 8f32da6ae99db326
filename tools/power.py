"""docs/power.md: the smallest relative error that the quick and the standard profile notice, before and after.

    python tools/power.py            prints the tables
    python tools/power.py --write    writes docs/power.md

An error of relative size e in one entry is noticed where it is more than the bound of a check that is held against a
sound function: where e |exact value| exceeds the tolerance. Nothing is called: bounds and enclosures say it. Under
"proved" stand the proved bounds alone, under "now" the probable ones and those of float32 inside as well, where they
apply; the latter take for granted that float32 inside is recognised.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gradlab.bounds import derivative_bound, loss_bound, probable, widened
from gradlab.evaluation.claims import Claims, claims_from
from gradlab.harness.profiles import PROFILES
from gradlab.harness.selection import problems_in_run
from gradlab.oracle.enclosure import enclose
from gradlab.problems.coefficients import coefficients_of
from gradlab.problems.problem import Array, Problem

DTYPES = ("bfloat16", "float32", "float64")
SHOWN = ("quick", "standard")
KINDS = ("target's entry", "another entry", "loss")
CLASSES = ((2, 10), (11, 100), (101, 1000), (1001, 9000), (9001, 40_000), (40_001, 140_000))
ROWS = ((1, 1), (2, 100), (101, 1024), (1025, 9000), (9001, 70_000))
MARGINS = ((-np.inf, 1.0), (1.0, 6.0), (6.0, 17.0), (17.0, np.inf))
AXES = {"classes": ("n_classes", CLASSES), "rows": ("n_rows", ROWS), "margin": ("margin", MARGINS)}


@dataclass(frozen=True)
class Noticed:
    """The smallest relative error of one kind noticed in a problem, or in those of its rows that have a margin."""

    kind: str
    n_classes: int
    n_rows: int
    margin: float
    proved: float
    now: float


def noticed(problem: Problem) -> Iterator[Noticed]:
    """What is noticed in each row, by its margin, and in the loss of the problem."""
    exact = enclose(problem)
    gradient = np.abs(exact.derivative.nearest())
    proved, now = derivative_bound(problem).error, _now(problem, "gradient")
    shares = coefficients_of(problem) > 0
    x = problem.logits64
    for row in range(problem.n_rows):
        top = np.max(x[row][~shares[row]], initial=-np.inf)
        with np.errstate(over="ignore"):
            margin = float(x[row][shares[row]].max() - top) if shares[row].any() else np.nan
        for kind, entries in (("target's entry", shares[row]), ("another entry", ~shares[row])):
            if entries.any():
                sizes = gradient[row][entries]
                yield Noticed(kind, *_shape(problem), margin, *(_least(b[row][entries], sizes) for b in (proved, now)))
        if problem.n_rows > 64 and row >= 64:
            break  # more rows of a long batch say the same
    size = np.atleast_1d(np.abs(exact.loss.nearest()))
    bounds = (np.atleast_1d(loss_bound(problem).error), np.atleast_1d(_now(problem, "loss")))
    yield Noticed("loss", *_shape(problem), np.nan, *(_least(bound, size) for bound in bounds))


def _shape(problem: Problem) -> tuple[int, int]:
    return problem.n_classes, problem.n_rows


def _least(errors: Array, sizes: Array) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.nanmin(np.where((sizes > 0) & np.isfinite(sizes), errors / sizes, np.inf)))


def _now(problem: Problem, quantity: str) -> Array:
    proved = derivative_bound(problem).error if quantity == "gradient" else loss_bound(problem).error
    for module, applies in ((probable, probable.has_random_sums), (widened, widened.is_covered)):
        if applies(problem):
            proved = np.minimum(proved, getattr(module, quantity)(problem).error)
    return np.asarray(proved)


def tables() -> Iterator[str]:
    """The page's tables, line by line."""
    for dtype in DTYPES:
        seen = {profile: list(_all_noticed(dtype, profile)) for profile in SHOWN}
        for title, name, spans in (
            ("classes", "n_classes", CLASSES),
            ("rows", "n_rows", ROWS),
            ("margin", "margin", MARGINS),
        ):
            yield from ("", f"## {dtype}, by {title}", "", *_table(seen, name, spans))


def _all_noticed(dtype: str, profile: str) -> Iterator[Noticed]:
    claims: Claims = claims_from({"dtypes": dtype})
    for problem in problems_in_run(claims, dtype, PROFILES[profile], 0):
        if problem.is_finite and problem.logits.size:
            yield from noticed(problem)


def _table(seen: dict[str, list[Noticed]], name: str, spans: tuple[tuple[float, float], ...]) -> Iterator[str]:
    kinds = [kind for kind in KINDS if not (name == "margin" and kind == "loss")]
    columns = [f"{kind}, {profile}" for kind in kinds for profile in SHOWN]
    yield f"| {name.removeprefix('n_')} | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for low, high in spans:
        inside = {profile: [one for one in seen[profile] if low <= getattr(one, name) <= high] for profile in SHOWN}
        cells = [_cell(inside[profile], kind) for kind in kinds for profile in SHOWN]
        if any(cells):
            yield f"| {_span(low, high)} | {' | '.join(cells)} |"


def _cell(seen: list[Noticed], kind: str) -> str:
    """proved, and now where that is another figure."""
    least: dict[str, float] = defaultdict(lambda: np.inf)
    for one in seen:
        if one.kind == kind:
            least["proved"] = min(least["proved"], one.proved)
            least["now"] = min(least["now"], one.now)
    if not np.isfinite(least["now"]):
        return ""
    proved, now = f"{least['proved']:.2g}", f"{least['now']:.2g}"
    return proved if proved == now else f"{proved}, now {now}"


def _span(low: float, high: float) -> str:
    if low == -np.inf:
        return f"below {high:g}"
    return f"above {low:g}" if high == np.inf else f"{low:g}" if low == high else f"{low:,g} to {high:,g}"


HEAD = """# The smallest error that is noticed

The smallest relative error of an entry of the gradient, and of the loss, that costs a plain function of labels its
verdict: by dtype, by the number of classes and of rows, and by the margin, which is the target's logit less the largest
other one. First the figure of the proved bounds alone. After "now", where it is another one, the figure with the
probable bounds and those of half precision with float32 inside as well; [verdict.md](verdict.md) says what they are.
The part of a run on sizes is left out.

    python tools/power.py --write    # about a minute

prints all of it again."""


def main() -> None:
    """Prints the page, and writes it where that is asked for."""
    page = "\n".join([HEAD, *tables(), ""])
    print(page)
    if "--write" in sys.argv[1:]:
        (Path(__file__).parent.parent / "docs" / "power.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
