"""Judging one target after another, each in a process of its own that is new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from gradlab.harness.plan import dtypes_to_check
from gradlab.harness.profiles import PROFILES, Profile
from gradlab.harness.seeds import drawn_seed
from gradlab.harness.verdict import Verdict
from gradlab.isolation.limits import Limits
from gradlab.isolation.sandbox import refuse_without_sandbox
from gradlab.judged.clock import nothing_at
from gradlab.judged.process import Place
from gradlab.judged.reach import out_of_reach
from gradlab.judged.remote import Remote, Wanted
from gradlab.judgement.cost import Cost, cost_of
from gradlab.judgement.judgement import Judgement
from gradlab.runs.here import run_and_report
from gradlab.runs.options import Options, ignore, plan_of
from gradlab.targets.importing import TargetError

if TYPE_CHECKING:
    from gradlab.evaluation.call import Implementation

LIMITS = Limits()
BATTERY = 12  # problems that come before all others: code that fails them as wrong is not tried any further


def judge(
    target: str,
    *,
    level: str | None = None,
    profile: str = "quick",
    seed: int | None = None,
    dtypes: Iterable[str] = (),
    time: bool = True,
    minutes: float | None = None,
    forbidden: Iterable[str] = (),
    call_seconds: float = LIMITS.call_seconds,
    load_seconds: float = LIMITS.load_seconds,
    memory: int = LIMITS.memory,
    sandbox: bool = False,
    **claims: Any,
) -> Judgement:
    """What `gradlab judge` says of a target, which runs in a process of its own and is judged from this one.

    target: what `gradlab check` takes, a string, which stands for one function. seed: drawn unless given; the judgement
    has it. time: whether calls are timed, too. forbidden: packages that it may not use. sandbox: whether it runs in one
    of bubblewrap's. All else is as for `gradlab.check`. A target that does not load is `refused`.

    Raises ValueError for an unknown level or profile, and for a dtype that is not claimed; SandboxError where no
    sandbox can be made.

    >>> judgement = judge("kernel.py:loss")
    >>> judgement.reward, judgement.text
    """
    wanted, unwanted = ((one,) if isinstance(one, str) else tuple(one) for one in (dtypes, forbidden))
    drawn = drawn_seed() if seed is None else seed
    question = Question(target, drawn, profile, level, wanted, claims, time, minutes, forbidden=unwanted)
    if sandbox:
        refuse_without_sandbox()
    with Judge(Limits(call_seconds, load_seconds, memory, sandbox)) as own:
        return own.judge(question)


@dataclass(frozen=True)
class Question:
    """What is to be judged, and how far.

    target: as `gradlab check` takes it, which stands for one function. level: the one that is claimed, where it is
    None. dtypes: all that are claimed, where there are none. time: whether calls are timed, too. minutes: after which
    the run is cut short, or as the profile says. here: the folder in which the target is given. forbidden: packages
    that it may not use. verbose: whether the text has every failure.
    """

    target: str
    seed: int = 0
    profile: str = "quick"
    level: str | None = None
    dtypes: tuple[str, ...] = ()
    claims: Mapping[str, Any] = field(default_factory=dict)
    time: bool = True
    minutes: float | None = None
    here: Path = field(default_factory=Path.cwd)
    forbidden: tuple[str, ...] = ()
    verbose: bool = False


class Judge:
    """Judges targets; to be used in a `with` statement, which ends all processes.

    limits: of the processes in which targets run.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._stack = ExitStack()
        self._nothing: Implementation | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the processes that are kept between judgements."""
        self._stack.close()
        self._nothing = None

    def judge(self, question: Question) -> Judgement:
        """What the target comes to.

        Raises ValueError for an unknown profile, level or dtype.
        """
        began = perf_counter()
        options = _options_of(question)
        wanted = Wanted(question.target, question.claims, question.dtypes)
        place = Place(str(question.here), self._limits, question.forbidden)
        with out_of_reach(), closing(Remote(wanted, place)) as remote:
            try:
                judgement = self._judged(_only(remote.load(), question), question, options)
            except TargetError as error:
                judgement = Judgement(question.target, question.seed, question.profile, None, str(error))
        return replace(judgement, verbose=question.verbose, seconds=perf_counter() - began)

    def _judged(self, one: Implementation, question: Question, options: Options) -> Judgement:
        plan = plan_of(one.claims, options)
        dtypes = dtypes_to_check(one, plan)
        first = replace(plan, profile=_battery(len(dtypes)), power=False)
        _, report = run_and_report(one, first, options, ignore)
        if report.verdict is Verdict.WRONG or report.advice_on_kind:
            return Judgement(question.target, question.seed, question.profile, report, battery=report.n_problems)
        _, report = run_and_report(one, plan, options, ignore)
        cost: Cost | None = None
        if question.time and report.verdict >= Verdict.STABLE:
            cost = cost_of(one, dtypes[0], self._nothing_there())
        return Judgement(question.target, question.seed, question.profile, report, cost=cost)

    def _nothing_there(self) -> Implementation:
        if self._nothing is None:
            self._nothing = self._stack.enter_context(nothing_at(Place(str(Path.cwd()), self._limits)))
        return self._nothing


def _options_of(question: Question) -> Options:
    """Raises ValueError for an unknown profile."""
    if question.profile not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, got {question.profile!r:.60}")
    minutes = PROFILES[question.profile].minutes if question.minutes is None else question.minutes
    return Options(
        question.level,
        question.profile,
        question.dtypes,
        question.seed,
        question.claims,
        here=question.here,
        strict=True,
        most=1,
        minutes=minutes,
    )


def _battery(n_dtypes: int) -> Profile:
    """The first problems, one of each of some families."""
    return Profile("first battery", "quick", 0, 0, 0, asked=0, most=max(1, BATTERY // n_dtypes), unforeseen=0)


def _only(found: list[Implementation], question: Question) -> Implementation:
    """Raises TargetError unless the target stands for one function."""
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise TargetError(f"{question.target} stands for {len(found)} functions, must be one: {names}")
    return found[0]
