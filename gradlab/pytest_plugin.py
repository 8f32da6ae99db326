"""The pytest plugin: one test per check and dtype, in anyone's suite or on any target without writing a file.

Imports nothing but pytest and the standard library until it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gradlab.checks.check import Check
    from gradlab.evaluation import Implementation
    from gradlab.harness.run import Plan


def parametrize(target: Callable[..., Any] | str, **settings: Any) -> pytest.MarkDecorator:
    """A decorator that runs a test once per check and dtype, with the argument `gradlab_check` to be called.

    >>> @gradlab.parametrize(my_softmax_ce)
    ... def test_conformance(gradlab_check):
    ...     gradlab_check()

    target: a function (logits, labels) -> (loss, gradient), or a target such as "package.module:callable".
    settings: profile ("quick"), seed (0), level ("stable", or what is claimed), dtypes, and claims by keyword.
    Raises ValueError or TargetError where one of them does not fit.
    """
    cases = [pytest.param(_caller(*case), id=f"{case[2].name}-{case[3]}") for case in _cases(target, settings)]
    return pytest.mark.parametrize("gradlab_check", cases)


class CheckFailedError(AssertionError):
    """A check found an entry beyond its tolerance; the message says which, and how to see it again."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --gradlab TARGET and its settings."""
    group = parser.getgroup("gradlab", "softmax cross-entropy, verified")
    group.addoption("--gradlab", action="append", default=[], metavar="TARGET", help="run all checks on this target")
    group.addoption("--gradlab-profile", default="quick", metavar="NAME", help="quick, standard or thorough")
    group.addoption("--gradlab-seed", default=0, type=int, metavar="N", help="the seed that repeats a run")
    group.addoption("--gradlab-level", default=None, metavar="LEVEL", help="stable or accurate")


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """With --gradlab and no file named, nothing else is collected."""
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    return True if config.getoption("--gradlab") and not named else None


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds one item per target, check and dtype."""
    for target in config.getoption("--gradlab"):
        try:
            items.extend(GradlabTarget.from_parent(session, name=target).collect())
        except ValueError as error:
            raise pytest.UsageError(f"--gradlab {target}: {error}") from None


class GradlabTarget(pytest.Collector):
    """What --gradlab TARGET collects: the checks of every implementation that the target names."""

    def collect(self) -> Iterator[GradlabItem]:
        """One item per implementation, check and dtype."""
        options = {name: self.config.getoption(f"--gradlab-{name}") for name in ("profile", "seed", "level")}
        for implementation, plan, check, dtype in _cases(self.name, options):
            name = f"{implementation.name}::{check.name}[{dtype}]"
            yield GradlabItem.from_parent(self, name=name, case=(implementation, plan, check, dtype))


class GradlabItem(pytest.Item):
    """One check in one dtype."""

    def __init__(self, *, case: tuple[Implementation, Plan, Check, str], **keywords: Any) -> None:
        super().__init__(**keywords)
        self.case = case

    def runtest(self) -> None:
        """Runs the check; raises CheckFailedError where it fails."""
        _caller(*self.case)()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The message of a failed check by itself; anything else as pytest shows it."""
        if isinstance(excinfo.value, CheckFailedError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where the item comes from, for pytest's headings."""
        return self.path, None, f"gradlab {self.name}"


def _cases(
    target: Callable[..., Any] | str, settings: dict[str, Any]
) -> list[tuple[Implementation, Plan, Check, str]]:
    from gradlab.api import implementations_of, plan_for
    from gradlab.harness.one_check import held_checks

    known = ("profile", "seed", "level", "dtypes")
    chosen = {name: value for name, value in settings.items() if name in known}
    claims = {name: value for name, value in settings.items() if name not in known}
    cases = []
    for implementation in implementations_of(target, claims):
        plan = plan_for(implementation, **{"profile": "quick", **chosen})
        cases += [(implementation, plan, check, dtype) for check, dtype in held_checks(implementation, plan)]
    return cases


def _caller(implementation: Implementation, plan: Plan, check: Check, dtype: str) -> Callable[[], None]:
    def gradlab_check() -> None:
        __tracebackhide__ = True
        from gradlab.harness.one_check import NothingCheckedError, line_of
        from gradlab.report.failure import failure_text

        try:
            line = line_of(implementation, plan, (check, dtype))
        except NothingCheckedError as nothing:
            raise CheckFailedError(str(nothing)) from None
        if not line.passed:
            raise CheckFailedError(failure_text(implementation, line))

    return gradlab_check
