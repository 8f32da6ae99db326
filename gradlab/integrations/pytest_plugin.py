"""The pytest plugin: one test per check and dtype, in anyone's suite or on any target without writing a file.

Imports nothing but pytest and the standard library until it is used.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gradlab.api import Target
    from gradlab.checks.check import Check
    from gradlab.diagnosis.diagnosis import Diagnosis
    from gradlab.evaluation.call import Implementation
    from gradlab.harness.plan import Plan
    from gradlab.harness.tally import Line


@dataclass(frozen=True, eq=False, repr=False)
class SingleCheck:
    """What one test runs: a check in one dtype.

    folder: where it was collected; cases are kept below it. known: what explains failures of the same implementation,
    by dtype, shared by all its tests.
    """

    implementation: Implementation
    plan: Plan
    check: Check
    dtype: str
    folder: Path
    known: dict[str, Diagnosis]

    def __call__(self) -> None:
        """Runs the check. Raises CheckFailedError where it fails."""
        __tracebackhide__ = True
        from gradlab.harness.one_check import NothingCheckedError, line_of

        try:
            line = line_of(self.implementation, self.plan, self.check, self.dtype)
        except NothingCheckedError as nothing:
            raise CheckFailedError(str(nothing)) from None
        if not line.passed:
            raise CheckFailedError("\n".join(self._message(line)))

    def _message(self, line: Line) -> Iterator[str]:
        """The failure, what it looks like, and how to run its simplest problem again."""
        from gradlab.harness.one_check import diagnosis_of
        from gradlab.harness.power import namable_defects
        from gradlab.report.explained import diagnosis_lines
        from gradlab.report.failure import failure_text, no_command

        yield failure_text(self.implementation, line, no_command)
        defects = namable_defects(self.implementation.claims)
        yield from diagnosis_lines(diagnosis_of(self.implementation, self.plan, line, self.known), defects)
        if self.implementation.target:
            with contextlib.suppress(OSError):  # a folder that cannot be written is no reason for another error
                yield f"again: gradlab replay {self._kept(line)}"

    def _kept(self, line: Line) -> str:
        """The file in which the simplest problem is kept, from the folder where pytest was started."""
        from gradlab.cases.cases import keep_case

        path = keep_case(self.implementation, self.plan, line.simplest or line.worst, self.folder)
        return str(path.relative_to(self.folder))


_SETTINGS = ("profile", "seed", "level", "dtypes")


def parametrize(target: Target, **settings: Any) -> pytest.MarkDecorator:
    """A decorator that runs a test once per check and dtype, with the argument `gradlab_check` to be called.

    >>> @gradlab.parametrize(my_softmax_ce)
    ... def test_conformance(gradlab_check):
    ...     gradlab_check()

    target: a function (logits, labels) -> (loss, gradient), or a target such as "package.module:callable".
    settings: profile ("quick"), seed (0), level (what is claimed), dtypes (those claimed), and claims by keyword.
    Raises ValueError or TargetError where one of them does not fit.
    """
    checks = [check for pair in _plans(target, settings) for check in _single_checks(*pair)]
    several = len({id(check.implementation) for check in checks}) > 1
    pattern = "{0}-{1}-{2}" if several else "{1}-{2}"
    named = [pytest.param(check, id=_name(check, pattern)) for check in checks]
    return pytest.mark.parametrize("gradlab_check", named)


class CheckFailedError(AssertionError):
    """A check found an entry beyond its tolerance; the message says which, and how to see it again."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --gradlab TARGET and its settings."""
    group = parser.getgroup("gradlab", "softmax cross-entropy, verified")
    group.addoption("--gradlab", action="append", default=[], metavar="TARGET", help="run all checks on this target")
    group.addoption("--gradlab-only", action="store_true", help="collect nothing but the targets")
    group.addoption(
        "--gradlab-profile", default="quick", metavar="NAME", help="quick, standard or thorough, for --gradlab TARGET"
    )
    group.addoption(
        "--gradlab-seed", default=0, type=int, metavar="N", help="the seed that repeats a run, for --gradlab TARGET"
    )
    group.addoption("--gradlab-level", default=None, metavar="LEVEL", help="stable or accurate, for --gradlab TARGET")
    group.addoption(
        "--gradlab-dtype",
        action="append",
        default=[],
        metavar="DTYPE",
        help="one of those claimed, for --gradlab TARGET",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Loads the targets, so that one that does not load ends the run in one line, with xdist as without."""
    for target in config.getoption("--gradlab"):
        _plans_of_option(config, target)


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """With --gradlab-only nothing is collected from files."""
    return True if config.getoption("--gradlab-only") else None


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, None]:
    """Adds the targets to what the session collects."""
    outcome = yield
    if isinstance(collector, pytest.Session):
        targets = collector.config.getoption("--gradlab")
        found = [GradlabTarget.from_parent(collector, name=target, nodeid=target) for target in targets]
        outcome.get_result().result.extend(found)


class GradlabTarget(pytest.Collector):
    """What --gradlab TARGET collects: the checks of every implementation that the target names."""

    def collect(self) -> Iterator[GradlabItem]:
        """One item per implementation, check and dtype."""
        for implementation, plan in _plans_of_option(self.config, self.name):
            for check in _single_checks(implementation, plan):
                yield GradlabItem.from_parent(self, name=_name(check, "{0}::{1}[{2}]"), check=check)


class GradlabItem(pytest.Item):
    """One check in one dtype."""

    def __init__(self, *, check: SingleCheck, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.check = check

    def runtest(self) -> None:
        """Runs the check; raises CheckFailedError where it fails."""
        self.check()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The message of a failed check by itself; anything else as pytest shows it."""
        if isinstance(excinfo.value, CheckFailedError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where the item comes from, for pytest's headings."""
        return self.path, None, f"gradlab {self.name}"


def _plans_of_option(config: pytest.Config, target: str) -> list[tuple[Implementation, Plan]]:
    """What a target given on the command line stands for, with its plan. Raises UsageError in one line."""
    from gradlab.targets.importing import TargetError

    options = {name: config.getoption(f"--gradlab-{name}") for name in ("profile", "seed", "level")}
    try:
        return _plans(target, {**options, "dtypes": config.getoption("--gradlab-dtype")})
    except (TargetError, ValueError) as error:
        raise pytest.UsageError(f"--gradlab {target}: {error}") from None


def _plans(target: Target, settings: Mapping[str, Any]) -> list[tuple[Implementation, Plan]]:
    """The implementations that a target stands for, each with its plan; raises ValueError or TargetError."""
    from gradlab.api import implementations_of, plan_for
    from gradlab.harness.plan import dtypes_to_check

    chosen = {"profile": "quick", **{name: value for name, value in settings.items() if name in _SETTINGS}}
    claims = {name: value for name, value in settings.items() if name not in _SETTINGS}
    dtypes: Iterable[str] = chosen.get("dtypes", ())
    found = [(one, plan_for(one, **chosen)) for one in implementations_of(target, claims, dtypes)]
    for implementation, plan in found:
        dtypes_to_check(implementation, plan)
    return found


def _single_checks(implementation: Implementation, plan: Plan) -> list[SingleCheck]:
    from gradlab.harness.one_check import held_checks

    folder, known = Path.cwd(), dict[str, "Diagnosis"]()  # tests may go elsewhere
    return [
        SingleCheck(implementation, plan, check, dtype, folder, known)
        for check, dtype in held_checks(implementation, plan)
    ]


def _name(single: SingleCheck, pattern: str) -> str:
    """The pattern with the names of implementation, check and dtype in it."""
    return pattern.format(single.implementation.name, single.check.name, single.dtype)
