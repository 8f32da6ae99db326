"""What is measured of one layer: errors of each output, family by family and margin by margin, and what fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gradlab.campaigns.atlas.atlas import Judged, judged_by, tally_of
from gradlab.checks.check import Check
from gradlab.evaluation.call import Implementation
from gradlab.harness.order import cost
from gradlab.harness.plan import Progress, Watch
from gradlab.harness.profiles import PROFILES
from gradlab.harness.scopes import scope_of
from gradlab.harness.selection import may_be_asked
from gradlab.harness.tally import Line, Tally, results_of
from gradlab.harness.verdict import Verdict
from gradlab.layer.call import adapt_layer_to_claims, evaluate_layer
from gradlab.layer.families import LAYER_FAMILIES
from gradlab.layer.families.placing import make_layer, median_margin
from gradlab.layer.oracle.truth import enclose_layer
from gradlab.layer.problem import OUTPUTS, LayerProblem
from gradlab.oracle.ulp import absolute_error
from gradlab.problems.dtypes import Format, format_of
from gradlab.problems.families import families_of, problems_in
from gradlab.result import Result

PROFILE, SEED = "quick", 0
MARGINS = (6.0, 8.0, 10.0, 15.0, 20.0, 40.0)
HEAD = (64, 32, 500)  # rows, features and classes of the head of these margins
MAX_SHOWN = 3  # failures of one dtype of which a smaller problem is looked for and shown
SHRINKS = 60  # problems that are tried for that

# By output: the largest error over the largest entry of what is right, inf for no number. Where all that is right is 0
# there is no such ratio; the checks judge what comes back there.
Errors = Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Finding:
    """A check that costs the verdict, the simplest problem that fails it, and what was seen there."""

    check: Check
    verdict: Verdict
    result: Result


@dataclass(frozen=True, eq=False)
class LayerMeasurement:
    """What was measured of one layer in one dtype; families by name, margins by their size."""

    dtype: str
    families: Mapping[str, Errors]
    margins: Mapping[float, Errors]
    judged: Judged
    findings: Sequence[Finding]


def measured_layer_families() -> list[str]:
    """The names of the families of the profile whose numbers are all finite, in running order."""
    fmt = format_of("float32")
    families = families_of(PROFILE, LAYER_FAMILIES)
    return [one.name for one in families if all(problem.is_finite for problem in problems_in(one, fmt, SEED))]


def measurement_of_layer(implementation: Implementation, dtype: str, watch: Watch) -> LayerMeasurement:
    """Errors on families and at margins, and what all checks but those that come last conclude."""
    fmt, names = format_of(dtype), measured_layer_families()
    found: dict[str, Errors] = {}
    for done, name in enumerate(names):
        watch(Progress(implementation.name, dtype, f"errors on {name}", done, len(names), 0))
        found[name] = largest_errors_of_layer(implementation, _family_problems(name, fmt))
    margins = {margin: largest_errors_of_layer(implementation, [head_of_margin(fmt, margin)]) for margin in MARGINS}
    judged, findings = judge_layer(implementation, dtype, False, watch)
    return LayerMeasurement(dtype, found, margins, judged, findings)


def judge_layer(
    implementation: Implementation, dtype: str, last: bool, watch: Watch
) -> tuple[Judged, tuple[Finding, ...]]:
    """The verdict by the checks that come last, or by all others, and what costs it level `stable`."""
    tally = tally_of(implementation, dtype, PROFILES[PROFILE], last, watch)
    return judged_by(tally, last), tuple(_findings(tally))


def head_of_margin(fmt: Format, margin: float) -> LayerProblem:
    """A head of many classes that is right in every row, by about this margin; the same for the same margin.

    The features of a row are the weights of its class: the margins lie close to one another, so that no row of a small
    margin has the largest entries by itself.
    """
    n_rows, n_features, n_classes = HEAD
    rng = np.random.default_rng(64)
    weight, labels = rng.normal(size=(n_features, n_classes)), rng.integers(n_classes, size=n_rows)
    weight /= np.sqrt((weight**2).sum(axis=0))
    one = make_layer(fmt, weight.T[labels], weight, labels)
    other = make_layer(fmt, one.features64, weight * (margin / median_margin(one)), labels)
    return other.replace(family=f"margin {margin:g}")


def largest_errors_of_layer(implementation: Implementation, problems: Iterable[LayerProblem]) -> Errors:
    """For each output that is returned the largest error over all problems that the claims admit."""
    claims = implementation.claims
    found: dict[str, float] = {}
    for problem in (adapt_layer_to_claims(claims, one) for one in problems):
        if may_be_asked(claims, problem):
            for name, error in _errors_on(implementation, problem).items():
                found[name] = max(found.get(name, 0.0), error)
    return found


def _errors_on(implementation: Implementation, problem: LayerProblem) -> Errors:
    answer, truth = evaluate_layer(implementation, problem), enclose_layer(problem)
    if answer.fault is not None:
        return dict.fromkeys(OUTPUTS, np.inf)
    found = {}
    for name, array in answer.outputs.items():
        right = truth.output(name)
        error = float(np.max(absolute_error(array.astype(np.float64), right), initial=0.0))
        largest = float(np.abs(right.nearest()).max(initial=0.0))
        if error != error or largest:
            found[name] = np.inf if error != error else error / largest
    return found


def _family_problems(name: str, fmt: Format) -> list[LayerProblem]:
    (family,) = (one for one in LAYER_FAMILIES if one.name == name)
    return list(problems_in(family, fmt, SEED))


def _findings(tally: Tally) -> Iterator[Finding]:
    """The most costly failures, each with a problem that was made smaller where it is not tiny."""
    costly = [line for line in tally.lines.values() if line.verdict < Verdict.STABLE and line.simplest is not None]
    for line in sorted(costly, key=cost)[:MAX_SHOWN]:
        yield Finding(line.check, line.verdict, _simplest(tally.implementation, line))


def _simplest(implementation: Implementation, line: Line) -> Result:
    assert line.simplest is not None  # of a failure
    problems = scope_of(implementation.claims).problems

    def failure(problem: LayerProblem) -> Result | None:
        found = [result for _, result in results_of([line.check], implementation, problem) if not result.passed]
        return found[0] if found and line.check.applies(implementation.claims, problem) else None

    if line.check.makes_calls or problems.is_tiny(line.simplest.problem):
        return line.simplest
    given = (implementation.claims, line.simplest.problem, SHRINKS, SEED)
    smaller = problems.smaller(*given, lambda problem: failure(problem) is not None)
    return (failure(smaller) if smaller is not None else None) or line.simplest  # type: ignore[arg-type]  # of a layer
