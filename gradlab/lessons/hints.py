"""Hints from a report: first where it is wrong, then what kind of mistake it is, and never the code that mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gradlab.evaluation.text import one_line
from gradlab.harness.power import namable_defects
from gradlab.harness.scopes import snippet
from gradlab.harness.tally import Line
from gradlab.lessons.task import Task
from gradlab.report.failure import without_hexadecimal
from gradlab.report.report import Report
from gradlab.result import EXACT

WHERE, KIND = 1, 2  # how much a hint says

# What kind of mistake the specimens of a module have, without a word of how it is mended.
KINDS = {
    "backward": "the backward pass does something else with the upstream gradient than multiply by it",
    "calling": "the call does something besides returning an answer: to its arguments, its results or the next call",
    "clipping": "a number is added or cut off to be safe, and changes the answer where it counts",
    "differentiating": "the gradient is not the derivative of your loss: derive it on paper for one row of two classes",
    "labels": "the labels are not read as they are meant: what do they index, and in which integer type?",
    "many_terms": "digits are lost where many small terms are added up",
    "mapping": "an option is not in both the loss and the gradient as it is defined",
    "objectives": "you compute another loss than the one that is asked for",
    "options": "rows, weights or targets do not count where they should, or count where they should not",
    "rounding": "an intermediate value has too few digits: look for a subtraction, and at the dtype of each array",
    "scaling": "the loss and the gradient are not divided by what they should be: what is each divided by?",
    "second_order": "a part of the second derivative is missing, or is that of another formula",
    "shifting": "a value leaves the range of the dtype, or loses its digits: follow the numbers before and after exp",
    "sizes": "small problems are right: the shape of the logits decides",
    "smoothing": "the smoothed targets are not the same in the loss and in the gradient, or do not sum to 1",
    "summing": "a sum is over the wrong entries: write the shape before and after each sum beside it",
    "target_gradient": "the derivative by the targets has another sign or another divisor",
    "weighing": "a weight of the rows counts in the wrong place, or in one of loss and gradient alone",
}
# The same where no known defect is recognised, by the group of the check that fails.
GROUPS = {
    "contract": "it is about the call, not about the mathematics: what goes in, and what comes out?",
    "invariants": "a fact that holds for every softmax cross-entropy does not hold: can you say why it must?",
    "calculus": "the loss and its gradient do not belong together: one of them may be right",
    "accuracy": "the values are wrong: work out the example by hand",
    "stability": "the mathematics is right; the floating-point numbers are not: print every intermediate value",
    "domain": "infinite or missing numbers are not treated as they should be",
    "options": "an option is not as it is defined: work out the example by hand",
    "sizes": "small problems are right: the shape of the logits decides",
}


@dataclass(frozen=True)
class Hint:
    """Where it is wrong, and what kind of mistake it is; both "" where there is nothing to say."""

    where: str = ""
    kind: str = ""

    def lines(self, how_much: int) -> Iterator[str]:
        """What is said of it. how_much: nothing for 0, where for WHERE, and what kind too for KIND."""
        for least, head, text in ((WHERE, "where", self.where), (KIND, "what kind", self.kind)):
            if how_much >= least and text:
                yield f"hint, {head}: {text}"


def hint_on(report: Report, failures: Sequence[Line], task: Task) -> Hint:
    """The hint on a run that does not pass. failures: those that are held against it, the most costly first."""
    if report.cut_short:
        return Hint(f"the run ended before its end: {report.cut_short}", "the calls take too long")
    if report.advice_on_kind:
        return Hint("the first calls", report.advice_on_kind)
    if not failures:
        return Hint()
    where = report.localisation.where if report.localisation is not None else ""
    return Hint("; ".join(filter(None, (where, _place(failures[0], failures)))), _kind(report, failures[0], task))


def finding_of(report: Report, failures: Sequence[Line]) -> str:
    """The first fact that does not hold: its name, the entry, both values and the problem, on one line."""
    if report.cut_short or not failures:
        return one_line(report.cut_short)
    result = failures[0].simplest or failures[0].worst
    shown = snippet(result.asked or result.problem)
    return one_line(without_hexadecimal(f"{result.check}: {result.sentence()}; on {shown}"))


def _place(first: Line, failures: Sequence[Line]) -> str:
    """Which fact, in which dtypes, how often, and on which problem: no word of what should come out."""
    result = first.simplest or first.worst
    dtypes = " and ".join(dict.fromkeys(line.dtype for line in failures if line.check.name == first.check.name))
    often = f"{first.n_failed} of {first.n_problems} problems"
    shown = snippet(result.asked or result.problem)
    entry = f"{result.where} {'' if result.source == EXACT else 'is '}{result.observed}".strip()
    return one_line(without_hexadecimal(f"{first.check.name} fails in {dtypes} on {often}; {entry}, on {shown}"))


def _kind(report: Report, first: Line, task: Task) -> str:
    """What kind of mistake it is: in words of the task, of a known defect's theme, or of what the check is about."""
    defects = report.diagnosis.defects if report.diagnosis is not None else ()
    known = [name for name in defects if name not in task.later]
    said = [task.hints[name] for name in (*known, first.check.name, first.check.group) if name in task.hints]
    themes = [KINDS[theme] for name in known if (theme := _theme(report, name)) in KINDS]
    if said or themes:
        return (said or themes)[0]
    return "; ".join([GROUPS[first.check.group], *_half_that_is_wrong(report)])


def _half_that_is_wrong(report: Report) -> list[str]:
    """Whether the loss alone is wrong, or the gradient alone; what comes out in its place would give it away."""
    what = report.localisation.what if report.localisation is not None else ""
    return [clause for clause in what.split("; ") if clause.startswith("only the ")]


def _theme(report: Report, defect: str) -> str:
    """The module of the specimens in which a defect is."""
    specimen = namable_defects(report.implementation.claims)[defect]
    return str(specimen.function.__module__).rpartition(".")[2]
