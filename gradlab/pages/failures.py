"""Each failure with its values in decimal, hexadecimal and bits, its problem, and what shows it again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradlab.pages.matrix import VERDICTS, holds, is_held
from gradlab.pages.numbers import Written, written
from gradlab.pages.problems import Shown, shown_problem
from gradlab.result import EXACT

Plain = Mapping[str, Any]


@dataclass(frozen=True)
class Failure:
    """One check that failed, on the simplest problem that shows it. others: the other dtypes in which it failed."""

    check: str
    holds: str
    dtype: str
    verdict: str
    counts: str
    where: str
    observed: Written
    expected: Written
    is_number: bool
    tolerance: str
    source: str
    ulp: str
    problem: Shown
    code: str
    others: str


@dataclass(frozen=True)
class Example:
    """A failure in which these defects, each by itself, show. defects: none where it stands for all that is wrong."""

    defects: tuple[str, ...]
    dtype: str
    where: str
    observed: Written
    expected: Written
    is_number: bool
    problem: Shown


def examples_of(entry: Plain) -> tuple[Example, ...]:
    """A failure for each of several defects that were found, one for all that show in it; else the first failure."""
    known = entry["diagnosis"]
    found: list[tuple[Plain, list[str]]] = []
    for name, one in ((known or {}).get("examples") or {}).items():
        same = next((names for other, names in found if other == one), None)
        if same is None:
            found.append((one, [name]))
        else:
            same.append(name)
    if found:
        return tuple(_example(one, one["dtype"], names) for one, names in found)
    return tuple(_example(one["simplest"], one["dtype"], []) for one in costly(entry)[:1])


def _example(failed: Plain, dtype: str, defects: Sequence[str]) -> Example:
    observed, expected = (written(failed[name], dtype) for name in ("observed", "expected"))
    is_number = failed["source"] != EXACT
    return Example(tuple(defects), dtype, failed["where"], observed, expected, is_number, shown_problem(failed))


def failures_of(entry: Plain) -> tuple[Failure, ...]:
    """What keeps the verdict below the level, in the order of `costly`."""
    by_check: dict[str, list[Plain]] = {}
    for one in costly(entry):
        by_check.setdefault(one["check"], []).append(one)
    return tuple(_failure(*found) for found in by_check.values())


def below_accurate(entry: Plain) -> Failure | None:
    """What keeps a stable implementation from being accurate, on its simplest problem; None where nothing does."""
    found = [one for one in entry["results"] if not one["passed"] and one["verdict"] == "stable" and not one["advice"]]
    return (
        _failure(min(found, key=lambda one: (one["ulp"] is None, *_complexity(one))))
        if found and entry["verdict"] == "stable"
        else None
    )


def costly(entry: Plain) -> list[Plain]:
    """The results that keep the verdict below the level, the worst first.

    Among equals, first examples of the defects that were found, then the simplest problem.
    """
    found = [one for one in entry["results"] if is_held(one, entry["level"])]
    examples = ((entry["diagnosis"] or {}).get("examples") or {}).values()
    keys = {(one["check"], one["problem"]["digest"]) for one in examples}
    return sorted(
        found,
        key=lambda one: (
            VERDICTS.index(one["verdict"]),
            (one["check"], one["simplest"]["problem"]["digest"]) not in keys,
            not _is_a_value(one),
            *_complexity(one),
        ),
    )


def _is_a_value(result: Plain) -> bool:
    """Whether a number is off from the exact one: what is clear at once.

    Rather than from a limit, from what its own loss gives, which may be what is wrong, or something else amiss.
    """
    at = result["simplest"]
    return bool(at["source"] != EXACT and result["group"] != "calculus" and not at["expected"].startswith("at "))


def _complexity(result: Plain) -> tuple[float, ...]:
    """What makes the simplest problem of one failure simpler to read than that of another."""
    problem = result["simplest"]["asked"] or result["simplest"]["problem"]
    numbers = [float.fromhex(text) for row in problem.get("logits") or problem.get("features") or () for text in row]
    awkward = sum(value != round(value) for value in numbers if math.isfinite(value))
    return math.prod(max(1, extent) for extent in problem["shape"]), awkward, sum(map(abs, numbers))


def _failure(result: Plain, *others: Plain) -> Failure:
    at = result["simplest"]
    tolerance, ulp = at["tolerance"], at["ulp"]
    return Failure(
        check=result["check"],
        holds=holds(result["check"]),
        dtype=result["dtype"],
        verdict=result["verdict"],
        counts=_counts(result),
        where=at["where"],
        observed=written(at["observed"], result["dtype"]),
        expected=written(at["expected"], result["dtype"]),
        is_number=at["source"] != EXACT,
        tolerance=f"{tolerance:.3g}" if isinstance(tolerance, float | int) else "",
        source="" if at["source"] == EXACT else at["source"],
        ulp=f"{float(ulp):.3g}" if ulp is not None and float(ulp) < 1e20 else "",
        problem=shown_problem(at),
        code="\n".join(at.get("code") or ()),
        others=", ".join(f"{one['dtype']} ({_counts(one)})" for one in others),
    )


def _counts(result: Plain) -> str:
    return f"{result['n_failed']} of {result['n_problems']} problems"
