"""The atlas of one implementation: its errors, family by family, where its gradient vanishes, the rules it follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from gradlab.campaigns.atlas.climbing import OF_ONE_GENERATION, climb
from gradlab.campaigns.atlas.margin import Vanishing, vanishing_margin
from gradlab.campaigns.conformance.profile import Profile as Conformance
from gradlab.campaigns.conformance.profile import profile_of
from gradlab.evaluation.adaptation import adapt_to_claims
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import Claims
from gradlab.harness.order import cost
from gradlab.harness.plan import Progress, Watch
from gradlab.harness.profiles import PROFILES, Profile
from gradlab.harness.selection import questions_in_run
from gradlab.harness.tally import Tally, add_results
from gradlab.harness.verdict import Verdict
from gradlab.measure.accuracy import LargestError, largest_errors
from gradlab.problems.dtypes import Format, format_of
from gradlab.problems.families import Family, families_of, problems_in
from gradlab.problems.problem import Problem

PROFILE, SEEDS = "standard", range(8)
CLIMBED, CLIMBED_PURPOSE = "climbed", "one row at a time, by hill climbing on the error in ULP"


@dataclass(frozen=True, eq=False)
class FamilyErrors:
    """The largest errors on one family: for each part the worst of its problems.

    problems: seed by seed, as numbered there; none where each followed from those before. n_problems: how many in all.
    """

    name: str
    n_problems: int
    errors: Mapping[str, LargestError]
    problems: Mapping[int, Sequence[Problem]] = field(default_factory=dict)

    def place_of(self, part: str) -> tuple[int, int] | None:
        """The seed of the worst problem and its number, from 0; None where every error is 0, or none is numbered."""
        worst = self.errors[part].problem
        places = ((seed, i, one) for seed, problems in self.problems.items() for i, one in enumerate(problems))
        return next(((seed, i) for seed, i, one in places if one is worst), None)


@dataclass(frozen=True)
class Judged:
    """A verdict, and the checks that cost a better one, each after what it is sorted by, the most costly first."""

    verdict: Verdict
    costs: tuple[tuple[tuple[int, bool, int], str], ...]


@dataclass(frozen=True, eq=False)
class Measurement:
    """What was seen of one implementation in one dtype, of labels in their range.

    judged: on every problem of the families, those of its options too.
    """

    dtype: str
    families: tuple[FamilyErrors, ...]
    vanishing: Vanishing
    judged: Judged


@dataclass(frozen=True, eq=False)
class Behaviour:
    """What it did in one dtype where implementations disagree, and with bad labels, which may spoil its process."""

    dtype: str
    profile: Conformance
    judged: Judged


def measured_families(names: Sequence[str] = ()) -> tuple[Family, ...]:
    """The families of the standard profile with finite logits, all or those named. Raises ValueError for another name.

    What is not finite, and the batch without rows, are in the table of the domain.
    """
    fmt = format_of("float32")
    known = [one for one in families_of(PROFILE) if all(map(_is_finite, problems_in(one, fmt, SEEDS[0])))]
    for name in names:
        if name not in [one.name for one in known]:
            raise ValueError(f"a family must be one of {', '.join(one.name for one in known)}, got {name!r}")
    return tuple(one for one in known if not names or one.name in names)


def measurement_of(
    implementation: Implementation, dtype: str, families: Sequence[Family], generations: int, watch: Watch
) -> Measurement:
    """The errors of one implementation in one dtype; the verdict is on all families, with the first of the seeds.

    families: those whose errors are measured. generations: how many generations of rows are also climbed.
    """
    fmt, implementation = format_of(dtype), _mean_first(implementation)
    found = []
    for done, family in enumerate(families):
        watch(Progress(implementation.name, dtype, f"errors on {family.name}", done, len(families), 0))
        found.append(_errors_on(implementation, family, fmt))
    if generations:
        watch(Progress(implementation.name, dtype, "climbing", 0, 1, 0))
        errors = climb(implementation, dtype, generations, SEEDS[0])
        found.append(FamilyErrors(CLIMBED, generations * OF_ONE_GENERATION, errors))
    judged = _run_checks(implementation, dtype, False, watch)
    return Measurement(dtype, tuple(found), vanishing_margin(implementation, fmt), judged)


def behaviour_of(implementation: Implementation, dtype: str, watch: Watch) -> Behaviour:
    """What it does with bad labels and in all the cases of a profile."""
    implementation = _mean_first(implementation)
    judged = _run_checks(implementation, dtype, True, watch)
    return Behaviour(dtype, profile_of(implementation, dtype), judged)


def _mean_first(implementation: Implementation) -> Implementation:
    """The implementation, asked for the mean wherever a claim leaves the choice, so that all are asked for the same."""
    claims = implementation.claims
    reductions = sorted(claims.reduction, key=lambda one: one != "mean")
    return replace(implementation, claims=replace(claims, reduction=tuple(reductions)))


def _errors_on(implementation: Implementation, family: Family, fmt: Format) -> FamilyErrors:
    problems = {seed: _adapt_all(implementation.claims, problems_in(family, fmt, seed)) for seed in SEEDS}
    every = list(chain(*problems.values()))
    return FamilyErrors(family.name, len(every), largest_errors(implementation, every), problems)


def _adapt_all(claims: Claims, problems: Sequence[Problem]) -> list[Problem]:
    return [adapt_to_claims(claims, problem) for problem in problems]


def _run_checks(implementation: Implementation, dtype: str, last: bool, watch: Watch) -> Judged:
    """What `gradlab check` concludes where it draws no problems, by the checks that come last, or by all others."""
    return judged_by(tally_of(implementation, dtype, PROFILES[PROFILE], last, watch), last)


def tally_of(implementation: Implementation, dtype: str, profile: Profile, last: bool, watch: Watch) -> Tally:
    """What the checks that come last, or all others, find on the problems of a profile that are not drawn."""
    questions = questions_in_run(implementation.claims, dtype, replace(profile, examples=0), SEEDS[0])
    tally = Tally(implementation, Verdict.ACCURATE)
    for done, question in enumerate(questions):
        phase = "bad labels" if last else question.problem.family
        watch(Progress(implementation.name, dtype, phase, done, len(questions), len(tally.failing)))
        add_results(tally, question.problem, question.in_turn(last))
    return tally


def judged_by(tally: Tally, last: bool) -> Judged:
    """What that comes to; last: whether it is of the checks that come last, which by themselves admit any verdict."""
    costly = [one for one in tally.lines.values() if one.verdict < Verdict.ACCURATE]
    verdict = min((one.verdict for one in costly), default=Verdict.ACCURATE) if last else tally.verdict()
    return Judged(verdict, tuple(sorted((cost(line), line.check.name) for line in costly)))


def _is_finite(problem: Problem) -> bool:
    return problem.is_finite and problem.n_rows > 0
