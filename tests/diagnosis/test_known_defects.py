"""Every specimen is told by its behaviour: the diagnosis names its defect, and no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gradlab.checks.table import CHECKS
from gradlab.diagnosis import diagnosis
from gradlab.diagnosis.at_sizes import PROBES as AT_SIZES
from gradlab.diagnosis.cancellation import PROBES as OF_DIGITS
from gradlab.diagnosis.diagnosis import Diagnosis
from gradlab.diagnosis.formulas import FORMULAS
from gradlab.diagnosis.matching import observe
from gradlab.diagnosis.models import DEFECTS, INSIDE
from gradlab.diagnosis.search import Explanation, is_predicted, wrong_first
from gradlab.diagnosis.side_effects import PROBES as OF_CONDUCT
from gradlab.evaluation.call import Implementation, answer
from gradlab.evaluation.claims import claims_from
from gradlab.harness.logits_problems import problems_for
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES
from gradlab.harness.run import run_checks
from gradlab.problems.formatting import snippet
from gradlab.targets.load import load
from gradlab.targets.shipped import specimens

SEEN_IN_THE_STANDARD_FAMILIES = {"sequential_half_mean"}
NAMES = [name for name in specimens() if name not in SEEN_IN_THE_STANDARD_FAMILIES]
CASES = [(name, ("float32", "float64")[number % 2]) for number, name in enumerate(NAMES)]
IN_BOTH = [(name, dtype) for name in NAMES for dtype in claims_from(specimens()[name].claims).dtypes]


def named(diagnosis: Diagnosis) -> list[tuple[str, ...]]:
    """All that is named, each set of defects once; what was seen at work is part of every set."""
    sets = [one.defects for one in diagnosis.alternatives] or [()]
    return [(*one, *diagnosis.side_effects) for one in sets]


def first_claimed(name: str, dtype: str) -> str:
    claimed = claims_from(specimens()[name].claims).dtypes
    return dtype if dtype in claimed else claimed[0]


def misses(defect: str, function: Callable[..., Any], dtype: str, **claims: Any) -> Iterator[str]:
    """For each model of a defect, the simplest answer of the function that it does not predict, or that it fits."""
    implementation = Implementation(defect, function, claims_from({**claims, "dtypes": dtype}))
    problems = [one for one in problems_for(implementation.claims, dtype, "quick", 0) if one.n_rows]
    found = [observe(problem, answer(implementation, problem)) for problem in problems]
    seen = list(wrong_first(found, len(found)))
    models = [model for one in DEFECTS if one.name == defect for model in one.models(seen)]
    yield "" if models else f"{defect} has no model: a row in a module of gradlab/diagnosis/models/"
    for model in models:
        explanation = Explanation((model,))
        missed = next((one for one in seen if not is_predicted(explanation, one)), None)
        if missed is None:
            yield f"{defect} {model.parameter}: predicts all answers"
            continue
        predicted = explanation.predicts(missed)
        yield f"{defect} {model.parameter}: misses {snippet(missed.problem)}"
        yield f"  answered:  loss {missed.loss}, gradient {missed.gradient.tolist()}"[:400]
        yield f"  predicted: loss {predicted.loss}, gradient {predicted.gradient.tolist()}"[:400]


@pytest.mark.parametrize(
    ("name", "dtype"), [pytest.param(*case, marks=[pytest.mark.more] * (n % 2)) for n, case in enumerate(CASES)]
)
def test_the_diagnosis_names_the_defect_and_no_other(name: str, dtype: str, diagnosed: Any) -> None:
    specimen = specimens()[name]
    claims = {key: value for key, value in specimen.claims.items() if key != "dtypes"}
    found = diagnosed(specimen.function, first_claimed(name, dtype), [specimen.killed_by], **claims)
    dtype = first_claimed(name, dtype)
    assert named(found) == [(name,)], "\n".join(misses(name, specimen.function, dtype, **claims))
    assert found.is_explained


@pytest.mark.slow
@pytest.mark.parametrize(("name", "dtype"), IN_BOTH)
def test_a_whole_run_ends_with_the_same_name_in_both_dtypes(name: str, dtype: str) -> None:
    (implementation,) = load(name, {})
    level = "accurate" if specimens()[name].killed_by in OF_DIGITS else "stable"
    report = run_checks(implementation, Plan(PROFILES["quick"], 1, level, (dtype,)))
    assert report.diagnosis is not None
    assert named(report.diagnosis) == [(name,)]


def test_the_checks_that_the_diagnosis_names_are_in_the_table() -> None:
    implied = [check for checks in diagnosis.IMPLIED.values() for check in checks]
    names = {*diagnosis.PROBES, *diagnosis.ALSO_VALUES, *diagnosis.WITHIN_A_BOUND, *diagnosis.OF_LOSS, *implied}
    assert names | {diagnosis.SAME_BITS} <= {check.name for check in CHECKS}


def test_every_defect_has_a_model_or_a_probe() -> None:
    modelled = {defect.name for defect in DEFECTS} | {model.defect for model in INSIDE}
    modelled |= {name for formulas in FORMULAS.values() for name in formulas}
    probed = {
        name
        for name, one in specimens().items()
        if one.killed_by in {**OF_CONDUCT, **OF_DIGITS, **AT_SIZES} and name not in modelled
    }
    assert modelled <= set(specimens())
    assert set(specimens()) - modelled == probed


def test_an_answer_that_a_model_does_not_predict_is_shown_beside_the_prediction() -> None:
    model, answered, predicted = [
        line for line in misses("global_shift", specimens()["no_shift"].function, "float64") if line
    ]
    assert model.startswith("global_shift : misses logits [[")
    assert "nan" in answered
    assert "nan" not in predicted
