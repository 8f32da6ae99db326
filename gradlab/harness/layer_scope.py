"""The scope of the layer: (X, W, b, targets) -> loss, dX, dW, db."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gradlab.checks.layer.table import LAYER_CHECKS, applicable_to_layer
from gradlab.evaluation.call import Arguments, Implementation
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.foreign import leaves_of
from gradlab.harness.drawn import draw_layer
from gradlab.harness.layer_power import as_claimed, can_be_asked, why_not
from gradlab.harness.layer_problems import layer_may_be_asked, layer_problems_in_run
from gradlab.harness.layer_shrinking import smaller_layer
from gradlab.harness.scope import Calls, Explaining, PowerRules, Problems, Scope, Writing
from gradlab.layer.call import evaluate_layer, layer_answer, layer_call_for
from gradlab.layer.formatting import layer_snippet, n_numbers
from gradlab.layer.oracle.truth import enclose_layer
from gradlab.layer.problem import LayerProblem
from gradlab.result import Result
from gradlab.storage.encoding import Plain
from gradlab.storage.layer_encoding import (
    decoded_layer_problem,
    encoded_layer_answer,
    encoded_layer_problem,
    encoded_layer_truth,
    outline_of_layer_problem,
)
from gradlab.targets.shipped import layer_specimens

if TYPE_CHECKING:
    from gradlab.diagnosis.diagnosis import Diagnosis
    from gradlab.localisation.statements import Localisation

TINY = (6, 3.0)  # numbers and their size: a failing problem of so few small whole numbers is not shrunk any further


def complexity(problem: LayerProblem) -> tuple[float, ...]:
    """What makes one problem simpler than another: fewer numbers, rows, then no penalty, fewer awkward numbers."""
    x = _all_numbers(problem)
    awkward = int(np.count_nonzero((x != np.rint(x)) | (np.abs(x) >= 1e6)))
    size, nonzero = float(np.abs(x).max(initial=0.0)), int(np.count_nonzero(x))
    on = int(problem.penalty.is_on)
    return (x.size, problem.n_rows, on, awkward, nonzero, size, float(np.sum(problem.targets)))


def _is_tiny(problem: LayerProblem) -> bool:
    x = _all_numbers(problem)
    return bool(n_numbers(problem) <= TINY[0] and (x == np.rint(x)).all() and np.abs(x).max(initial=0.0) <= TINY[1])


def _all_numbers(problem: LayerProblem) -> Any:
    found = np.concatenate([one.ravel() for one in (problem.features64, problem.weight64, problem.bias64)])
    return found[np.isfinite(found)]


def _advice(implementation: Implementation, problems: Sequence[LayerProblem]) -> tuple[str, list[Any]]:
    return "", []  # what it takes and returns was recognised when it was loaded


def _diagnose(
    implementation: Implementation,
    problems: Sequence[LayerProblem],
    failed: Iterable[str],
    earlier: Sequence[tuple[LayerProblem, Any]] = (),
) -> Diagnosis:
    from gradlab.diagnosis.layer.diagnosis import diagnose_layer

    return diagnose_layer(implementation, problems, list(failed), earlier)


def _diagnose_further(
    known: Diagnosis, implementation: Implementation, problems: Sequence[LayerProblem], failed: Iterable[str]
) -> Diagnosis:
    return _diagnose(implementation, problems, failed)


def _shown_alone(known: Diagnosis, implementation: Implementation, failed: Result) -> tuple[str, ...]:
    from gradlab.diagnosis.layer.alone import layer_shown_alone

    return layer_shown_alone(known, implementation, failed)


def _localise(
    implementation: Implementation, problems: Sequence[LayerProblem], unexplained: Sequence[str]
) -> Localisation | None:
    from gradlab.localisation.layer.finding import localise_layer

    return localise_layer(implementation, problems, partial(layer_may_be_asked, implementation.claims))


def _encode_truth(problem: LayerProblem) -> Plain:
    return encoded_layer_truth(enclose_layer(problem))


def _check_of_calls(problem: LayerProblem) -> str:
    return "returns_what_is_claimed"


def _smaller(
    claims: Claims, failing: LayerProblem, n_examples: int, seed: int, fails: Callable[[LayerProblem], bool]
) -> LayerProblem | None:
    return smaller_layer(failing, n_examples, lambda one: layer_may_be_asked(claims, one) and fails(one))


def _call_shown(claims: Claims, problem: LayerProblem) -> Arguments:
    return layer_call_for(Implementation("", _nothing, claims), problem)


def _nothing(*arguments: Any, **keywords: Any) -> None:
    """Stands for a function that is not called."""


LAYER = Scope(
    name="layer",
    problem_type=LayerProblem,
    checks=LAYER_CHECKS,
    applicable=applicable_to_layer,
    check_of_calls=_check_of_calls,
    problems=Problems(layer_problems_in_run, layer_may_be_asked, complexity, _is_tiny, _smaller),
    calls=Calls(layer_answer, evaluate_layer, layer_call_for, leaves_of, _advice),
    explaining=Explaining(_diagnose, _diagnose_further, _localise, None, _shown_alone),
    power=PowerRules(layer_specimens, why_not, as_claimed, can_be_asked, lambda specimen: 0),
    writing=Writing(
        encoded_layer_problem,
        outline_of_layer_problem,
        decoded_layer_problem,
        encoded_layer_answer,
        _encode_truth,
        layer_snippet,
        n_numbers,
        _call_shown,
    ),
    draw=draw_layer,
    has_sizes=False,
)
