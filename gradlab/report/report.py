"""The report on one implementation: what `gradlab.check` returns, and what `gradlab check` prints and writes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradlab.cases.cases import failures_to_keep
from gradlab.evaluation.call import Implementation
from gradlab.harness.drawn import Drawn
from gradlab.harness.plan import Plan
from gradlab.harness.run import Run
from gradlab.harness.tally import Line
from gradlab.harness.verdict import Verdict
from gradlab.problems.problem import AnyProblem
from gradlab.report.explained import options_not_claimed
from gradlab.report.failure import no_command, replay_command, without_hexadecimal
from gradlab.report.findings import Parts, advice, all_failures, few_failures, lines_of_run, little_advice
from gradlab.report.json import encode_run
from gradlab.report.origin import NOWHERE, Origin, origin_of
from gradlab.result import Result
from gradlab.storage.encoding import Plain
from gradlab.storage.files import CASES

if TYPE_CHECKING:
    from gradlab.diagnosis.diagnosis import Diagnosis
    from gradlab.harness.missing import Missing
    from gradlab.harness.power import Power
    from gradlab.harness.sizes import SizesTried
    from gradlab.localisation.statements import Localisation
    from gradlab.measure.timing import Timing


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What was found out about one implementation; `print(report)` is what `gradlab check` prints of it.

    run: all that was found, as data; the attributes below are those of it. origin: where the function is. not_claimed:
    the options that the function takes without a claim. cases: the folder in which the failing problems are kept, None
    where they are not.

    It can be pickled. The function does not travel with it: in another process, calling it raises RuntimeError.
    """

    run: Run
    origin: Origin = NOWHERE
    not_claimed: tuple[str, ...] = ()
    cases: Path | None = None

    @property
    def implementation(self) -> Implementation:
        """What was checked: its name, target and claims."""
        return self.run.implementation

    @property
    def plan(self) -> Plan:
        """What was to be tried: profile, seed, level and dtypes."""
        return self.run.plan

    @property
    def verdict(self) -> Verdict:
        """wrong < unstable < stable < accurate; compares with these names too."""
        return self.run.verdict

    @property
    def met(self) -> bool:
        """Whether the verdict reaches the level asked for, in a run that came to its end."""
        return self.run.met

    @property
    def lines(self) -> tuple[Line, ...]:
        """One for each check and dtype."""
        return self.run.lines

    @property
    def failures(self) -> tuple[Line, ...]:
        """The lines that keep the verdict below the level asked for, the most costly first."""
        return self.run.failures

    @property
    def advice(self) -> tuple[Line, ...]:
        """The lines that failed without lowering the verdict."""
        return self.run.advice

    @property
    def failing(self) -> tuple[tuple[Result, ...], ...]:
        """For every problem that failed, what failed on it and costs the level asked for."""
        return self.run.failing

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The dtypes that were checked."""
        return self.run.dtypes

    @property
    def n_problems(self) -> int:
        """How many problems were tried."""
        return self.run.n_problems

    @property
    def seconds(self) -> float:
        """Wall time of the run."""
        return self.run.seconds

    @property
    def diagnosis(self) -> Diagnosis | None:
        """What explains the failures, where the level is not met."""
        return self.run.diagnosis

    @property
    def localisation(self) -> Localisation | None:
        """Where it is wrong, found by experiment, where no known defect explains it."""
        return self.run.localisation

    @property
    def power(self) -> Power | None:
        """Which known defects the run would have caught, where the level is met."""
        return self.run.power

    @property
    def missing(self) -> tuple[Missing, ...]:
        """Of all that explains the verdict, what could not be found for an error of gradlab's own."""
        return self.run.missing

    @property
    def sizes(self) -> SizesTried:
        """How far the part on sizes came."""
        return self.run.sizes

    @property
    def drawn(self) -> Drawn:
        """Curves of its errors, where they were asked for."""
        return self.run.drawn

    @property
    def timings(self) -> tuple[Timing, ...]:
        """What calls cost, where that was asked for."""
        return self.run.timings

    @property
    def advice_on_kind(self) -> str:
        """What to do where the first calls gave a wrong kind of answer, after which the run ended; "" elsewhere."""
        return self.run.advice_on_kind

    @property
    def cut_short(self) -> str:
        """Why the run ended before it was done, or ""."""
        return self.run.cut_short

    @property
    def accumulates_in(self) -> Mapping[str, str]:
        """By dtype of half precision: what the answers are worked out in, as claimed or recognised."""
        return self.run.accumulates_in

    def short_lines(self) -> Iterator[str]:
        """What is said of it, line by line, on one screen: of the failures only the most costly, no hexadecimal."""
        parts = Parts(few_failures(self.run, self.origin.source, self._again), little_advice(self.run))
        yield from map(without_hexadecimal, lines_of_run(self.run, parts, self.not_claimed))

    def full_lines(self) -> Iterator[str]:
        """The same with every failure, and a reproducer for each."""
        parts = Parts(all_failures(self.run, self.origin.source, self._again), advice(self.run))
        yield from lines_of_run(self.run, parts, self.not_claimed)

    def to_json(self) -> Plain:
        """Its entry of the JSON report, as `report/schema.json` has it under `implementations`; without times."""
        return encode_run(self.run, self.origin)

    def __str__(self) -> str:
        return "\n".join(self.short_lines())

    def __repr__(self) -> str:
        return f"<Report on {self.implementation.name}: {self.verdict}>"

    def without_function(self) -> Report:
        """The same, with what stands for the function in its place."""
        own = self.implementation
        elsewhere = replace(own, function=FunctionElsewhere(own.name))
        return replace(self, run=replace(self.run, implementation=elsewhere))

    def __getstate__(self) -> dict[str, Any]:
        return vars(self.without_function())

    def _again(self, problem: AnyProblem) -> str:
        """The command that runs a kept problem again, to be printed behind it."""
        kept = {results[0].problem.digest for results in failures_to_keep(self.run)}
        if self.cases is None or problem.digest not in kept:
            return no_command(problem)
        usual = self.cases.parts[-len(CASES.parts) :] == CASES.parts
        where = "" if usual else f" --cases {shlex.quote(str(self.cases))}"
        return replay_command(self.implementation, problem) + where


@dataclass(frozen=True)
class FunctionElsewhere:
    """Stands for a function that was loaded in another process; unpickling a report imports no code under test."""

    name: str

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Raises RuntimeError."""
        raise RuntimeError(f"{self.name} was loaded in another process; load it here to call it")


def report_of(run: Run, cases: Path | None = None) -> Report:
    """The report of a run, in the process in which its function is loaded; cases: where failing problems are kept."""
    own = run.implementation
    return Report(run, origin_of(own), options_not_claimed(own), cases)
