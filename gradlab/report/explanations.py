"""What is known of a defect, a check, a family of problems or a teaching code, for `gradlab explain`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from gradlab.checks.check import Check
from gradlab.checks.layer.table import LAYER_CHECKS
from gradlab.checks.table import CHECKS
from gradlab.evaluation.call import Implementation, evaluate
from gradlab.evaluation.claims import claims_from
from gradlab.layer.families import LAYER_FAMILIES
from gradlab.oracle.enclosure import enclose
from gradlab.problems.families import FAMILIES, Family
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from gradlab.report.explained import explanation_of, facts_of
from gradlab.report.reproducer import Source, reproducer
from gradlab.targets.shipped import Shipped, Specimen, layer_specimens, shipped_targets, specimens


def explanations() -> dict[str, Callable[[], Iterator[str]]]:
    """What can be explained, by name, and how to have the lines: defects, checks, families, teaching codes."""
    teaching = {name: one for name, one in shipped_targets().items() if one.is_teaching_code}
    return {
        **{family.name: partial(_explain_family, family) for family in (*LAYER_FAMILIES, *FAMILIES)},
        **{check.name: partial(_explain_check, check) for check in (*LAYER_CHECKS, *CHECKS)},
        **{name: partial(_explain_layer_specimen, one) for name, one in layer_specimens().items()},
        **{name: partial(_explain_code, one) for name, one in teaching.items()},
        **{name: partial(_explain_specimen, one) for name, one in specimens().items()},
    }


def _explain_specimen(specimen: Specimen) -> Iterator[str]:
    yield from explanation_of(specimen)
    yield from _answers_to_witness(specimen)


def _explain_layer_specimen(specimen: Specimen) -> Iterator[str]:
    """All that is known of a defect of the layer."""
    shows = f"in {', '.join(specimen.shows)} of a layer (X, W, b, targets) -> loss, dX, dW, db"
    yield from facts_of(specimen, specimen.says, shows, "layer")


def _explain_check(check: Check) -> Iterator[str]:
    yield f"{check.name}: a check"
    yield f"holds:    {_text(check.function)}"
    yield f"group:    {check.group}"
    yield f"failing:  means {check.failing_means}"
    known = {**layer_specimens(), **specimens()}
    rejects = [name for name, one in known.items() if one.killed_by == check.name]
    yield f"rejects:  {', '.join(rejects) or 'no known defect by itself'}"


def _explain_family(family: Family) -> Iterator[str]:
    yield f"{family.name}: a family of problems"
    yield f"for:      {_text(family.function)}"
    yield f"profile:  {family.profile} and larger"
    means = "is unstable: not every correct way of writing the loss can do these" if family.stress else "is wrong"
    yield f"failing:  what fails here {means}"


def _explain_code(one: Shipped) -> Iterator[str]:
    module = inspect.getmodule(one.function)
    yield f"{one.name}: a teaching code"
    yield from (f"    {line}" for line in (inspect.getdoc(module) or "").splitlines())
    yield "code:"
    yield from (f"    {line}" for line in inspect.getsource(one.function).rstrip().splitlines())


def _answers_to_witness(specimen: Specimen) -> Iterator[str]:
    """Lines of Python that run as they stand, what they give, and what is right; none where gradlab has no problem."""
    try:
        problem = witness_of(specimen)
    except ValueError:  # a label out of range, which is what it shows
        return
    name, claims = specimen.name, claims_from(specimen.claims)
    found = reproducer(Source(f"from {specimen.function.__module__} import {name}", name), claims, problem)
    if not found:
        return
    yield "run:"
    yield from (f"    {line}" for line in found)
    given = evaluate(Implementation(name, specimen.function, claims), problem)
    yield f"gives:   {given.fault or f'loss {_numbers(given.loss)}, {_numbers(given.gradient)}'}"
    truth = enclose(problem)
    yield f"right:   loss {_numbers(truth.loss.nearest())}, {_numbers(truth.derivative.nearest())}"


def witness_of(specimen: Specimen) -> Problem:
    """The smallest problem that shows a defect. Raises ValueError where it is none, as a label out of range."""
    claims = claims_from(specimen.claims)
    options = {**specimen.options, "derivative": claims.derivative}
    vector = options.pop("vector", None)
    kind = "probability" if np.ndim(specimen.labels) == 2 else "index"
    objective = Objective(options.pop("reduction", "mean"), kind, **options)
    n_classes = len(specimen.logits[0]) if len(specimen.logits) else 2
    dtype = "float64" if "float64" in claims.dtypes else claims.dtypes[0]
    logits = np.array(specimen.logits, dtype=np.float64).reshape(-1, n_classes).astype(dtype)
    targets = np.array(specimen.labels).astype(logits.dtype if kind == "probability" else np.int64)
    with_vector = None if vector is None else np.array(vector, dtype=np.float64).astype(logits.dtype)
    return Problem(logits, targets, objective, "witness", with_vector)


def _numbers(values: Any) -> str:
    return np.array2string(np.asarray(values, dtype=np.float64), precision=6, separator=", ").replace("\n", "")


def _text(function: Any) -> str:
    return " ".join((inspect.getdoc(function) or "").split())
