"""The scope of the logits: losses (logits, targets) -> (loss, gradient)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gradlab.checks.precision import accumulation
from gradlab.checks.table import CHECKS, applicable
from gradlab.evaluation.call import Arguments, GivenArguments, Implementation, answer, call_for, evaluate
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.foreign import inert
from gradlab.evaluation.keywords import keywords_of
from gradlab.harness.drawn import draw_loss
from gradlab.harness.first_calls import advice_on_first_calls
from gradlab.harness.logits_power import as_claimed, can_be_asked, least_entries, why_not
from gradlab.harness.logits_problems import logits_may_be_asked, logits_problems_in_run
from gradlab.harness.scope import Calls, Explaining, PowerRules, Problems, Scope, Writing
from gradlab.oracle.enclosure import enclose
from gradlab.problems.families.options import one_hot
from gradlab.problems.formatting import snippet
from gradlab.problems.problem import Problem
from gradlab.result import Result
from gradlab.storage.encoding import (
    Plain,
    decoded_problem,
    encoded_answer,
    encoded_objective,
    encoded_problem,
    encoded_truth,
)
from gradlab.targets.shipped import specimens

if TYPE_CHECKING:
    from gradlab.diagnosis.diagnosis import Diagnosis
    from gradlab.localisation.statements import Localisation

TINY = (4, 9.0)  # entries and their size: a failing problem of so few small whole numbers is not shrunk any further


def complexity(problem: Problem) -> tuple[float, ...]:
    """What makes one problem simpler than another: fewer entries, rows, then fewer, rounder and smaller logits.

    A logit is awkward if it is no whole number, or has more than six digits.
    """
    x = problem.logits64
    finite = x[np.isfinite(x)]
    awkward, nonzero = np.count_nonzero((finite != np.rint(finite)) | (np.abs(finite) >= 1e6)), np.count_nonzero(x)
    size = float(np.abs(finite).max(initial=0.0))
    return (x.size, problem.n_rows, int(awkward), int(nonzero), size, float(np.sum(problem.targets)))


def _is_tiny(problem: Problem) -> bool:
    x = problem.logits64
    return bool(
        x.size <= TINY[0] and problem.is_finite and (x == np.rint(x)).all() and np.abs(x).max(initial=0) <= TINY[1]
    )


def _smaller(
    claims: Claims, failing: Problem, n_examples: int, seed: int, fails: Callable[[Problem], bool]
) -> Problem | None:
    from gradlab.harness.search import smallest  # Hypothesis, which takes half a second

    return smallest(claims, failing.format.name, n_examples, seed, fails)


def _check_of_calls(problem: Problem) -> str:
    return f"returns_loss_and_{'gradient' if problem.objective.is_first_order else 'derivative'}"


def _diagnose(
    implementation: Implementation,
    problems: Sequence[Problem],
    failed: Iterable[str],
    earlier: Sequence[tuple[Problem, Any]] = (),
) -> Diagnosis:
    from gradlab.diagnosis.diagnosis import diagnose

    return diagnose(implementation, problems, failed, earlier)


def _diagnose_further(
    known: Diagnosis, implementation: Implementation, problems: Sequence[Problem], failed: Iterable[str]
) -> Diagnosis:
    from gradlab.diagnosis.diagnosis import diagnose_further

    return diagnose_further(known, implementation, problems, failed)


def _shown_alone(known: Diagnosis, implementation: Implementation, failed: Result) -> tuple[str, ...]:
    from gradlab.diagnosis.alone import shown_alone

    return shown_alone(known, implementation, failed)


def _localise(
    implementation: Implementation, problems: Sequence[Problem], unexplained: Sequence[str]
) -> Localisation | None:
    from gradlab.localisation.finding import localise

    if implementation.claims.derivative != "gradient":
        return None
    admits = partial(logits_may_be_asked, implementation.claims)
    return localise(implementation, tuple(problems), tuple(unexplained), admits)


def _encode_outline(problem: Problem) -> Plain:
    return {
        "dtype": problem.format.name,
        "shape": list(problem.logits.shape),
        "family": problem.family,
        "objective": encoded_objective(problem.objective),
        "logits": None,
        "targets": None,
    }


def _encode_truth(problem: Problem) -> Plain:
    return encoded_truth(enclose(problem))


def _call_shown(claims: Claims, problem: Problem) -> Arguments:
    spelled = one_hot(problem) if claims.one_hot else problem
    return GivenArguments((spelled.logits, spelled.targets), keywords_of(claims, spelled))


LOGITS = Scope(
    name="logits",
    problem_type=Problem,
    checks=CHECKS,
    applicable=applicable,
    check_of_calls=_check_of_calls,
    problems=Problems(logits_problems_in_run, logits_may_be_asked, complexity, _is_tiny, _smaller),
    calls=Calls(answer, evaluate, call_for, inert, advice_on_first_calls),
    explaining=Explaining(_diagnose, _diagnose_further, _localise, accumulation, _shown_alone),
    power=PowerRules(specimens, why_not, as_claimed, can_be_asked, least_entries),
    writing=Writing(
        encoded_problem,
        _encode_outline,
        decoded_problem,
        encoded_answer,
        _encode_truth,
        snippet,
        lambda problem: int(problem.logits.size),
        _call_shown,
    ),
    draw=draw_loss,
    has_sizes=True,
)
