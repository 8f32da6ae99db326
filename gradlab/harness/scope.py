"""What is said of a scope: all in which runs on losses of logits differ from runs on layers.

A row for each scope is in `gradlab.harness.scopes`. Problems and answers of one scope are handed on by the harness as
they are; it looks at nothing in them but what `AnyProblem` and `AnyAnswer` have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradlab.checks.check import Check
from gradlab.evaluation.call import AnyAnswer, Arguments, Implementation
from gradlab.evaluation.claims import Claims
from gradlab.harness.profiles import Profile
from gradlab.problems.problem import AnyProblem
from gradlab.result import Result

if TYPE_CHECKING:
    from gradlab.diagnosis.diagnosis import Diagnosis
    from gradlab.harness.drawn import Drawn
    from gradlab.harness.verdict import Verdict
    from gradlab.localisation.statements import Localisation
    from gradlab.targets.shipped import Specimen

Plain = dict[str, Any]
Plainly = Callable[[Any], Plain]


@dataclass(frozen=True)
class Problems:
    """The problems of a scope.

    in_run: (claims, dtype, profile, seed) -> all problems of a run. may_be_asked: whether the claims let one through.
    complexity: what makes one simpler than another. is_tiny: whether a failing one is not shrunk any further.
    smaller: (claims, a failing problem, how many to try, seed, whether another fails as well) -> the smallest found.
    """

    in_run: Callable[[Claims, str, Profile, int], tuple[Any, ...]]
    may_be_asked: Callable[[Claims, Any], bool]
    complexity: Callable[[Any], tuple[float, ...]]
    is_tiny: Callable[[Any], bool]
    smaller: Callable[[Claims, Any, int, int, Callable[[Any], bool]], AnyProblem | None]


@dataclass(frozen=True)
class Calls:
    """How a problem is answered.

    answer: remembered. evaluate: by a fresh call. call_for: its arguments. keep: plain data of what a call returns.
    advice: what to do where the first calls all give the same wrong kind of answer, else "", and the problems asked.
    """

    answer: Callable[[Implementation, Any], AnyAnswer]
    evaluate: Callable[[Implementation, Any], AnyAnswer]
    call_for: Callable[[Implementation, Any], Arguments]
    keep: Callable[[Any], Any]
    advice: Callable[[Implementation, Sequence[Any]], tuple[str, list[Any]]]


@dataclass(frozen=True)
class Explaining:
    """How failures are explained.

    diagnose: (implementation, problems, failed checks, earlier answers). diagnose_further: the same for other failed
    checks after a first diagnosis. localise: where it is wrong, None where that is not looked for. accumulation: what
    the answers of a dtype of half precision are worked out in, None where that is not recognised. shown_alone: the
    defects of a diagnosis that bring a failure about without the others.
    """

    diagnose: Callable[[Implementation, Sequence[Any], Iterable[str], Sequence[tuple[Any, Any]]], Diagnosis]
    diagnose_further: Callable[[Diagnosis, Implementation, Sequence[Any], Iterable[str]], Diagnosis]
    localise: Callable[[Implementation, Sequence[Any], Sequence[str]], Localisation | None] | None
    accumulation: Callable[[Implementation, str], str] | None
    shown_alone: Callable[[Diagnosis, Implementation, Result], tuple[str, ...]]


@dataclass(frozen=True)
class PowerRules:
    """How the power of a run is found.

    specimens: the known defects by name. why_not: the claim without which a run in a dtype and at a level says nothing
    of one, None if it does. as_claimed: one as an implementation with the claims of a run, as far as it can keep them;
    can_be_asked: whether that can be asked a problem. least_entries: how many the smallest problem has that shows one.
    """

    specimens: Callable[[], Mapping[str, Specimen]]
    why_not: Callable[[Specimen, Claims, str, Verdict], str | None]
    as_claimed: Callable[[Specimen, Claims], Implementation]
    can_be_asked: Callable[[Implementation, Any], bool]
    least_entries: Callable[[Specimen], int]


@dataclass(frozen=True)
class Writing:
    """How problems and answers are written.

    encode_problem, encode_answer, encode_truth: as plain data; the last the enclosures of a problem's answers.
    encode_outline: a problem without its numbers. decode_problem: raises ValueError. snippet: a problem in a line.
    n_shown: how many numbers of a problem there are to show. call_shown: the arguments of the call that asks it.
    """

    encode_problem: Plainly
    encode_outline: Plainly
    decode_problem: Callable[[Any], Any]
    encode_answer: Plainly
    encode_truth: Plainly
    snippet: Callable[[Any], str]
    n_shown: Callable[[Any], int]
    call_shown: Callable[[Claims, Any], Arguments]


@dataclass(frozen=True)
class Scope:
    """All that is said of a scope.

    checks: its table. applicable: those that say something of a problem. check_of_calls: the name of the check that
    fails where there is no answer. draw: (implementation, dtypes, diagnosis) -> its curves. has_sizes: whether a run
    has a part on sizes, after all other problems.
    """

    name: str
    problem_type: type[Any]
    checks: tuple[Check, ...]
    applicable: Callable[[Claims, Any], list[Check]]
    check_of_calls: Callable[[Any], str]
    problems: Problems
    calls: Calls
    explaining: Explaining
    power: PowerRules
    writing: Writing
    draw: Callable[[Implementation, Sequence[str], Diagnosis | None], Drawn]
    has_sizes: bool
