"""What a page says of one implementation, from its entry in a report: no text of a report is taken for markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gradlab.pages.curves import AxisFigures, axis_figures
from gradlab.pages.differences import DifferenceFigure, difference_figure
from gradlab.pages.failures import Example, Failure, below_accurate, examples_of, failures_of
from gradlab.pages.matrix import VERDICTS, Group, matrix_of
from gradlab.pages.words import MEANINGS
from gradlab.report.letters import letters_of
from gradlab.report.two_names import other_names
from gradlab.targets.shipped import layer_specimens, specimens

Plain = Mapping[str, Any]
LONGEST_WITNESS = 90  # characters
GLYPHS = {"wrong": "✗", "unstable": "✗", "stable": "✓", "accurate": "✓"}


@dataclass(frozen=True)
class Defect:
    """A known defect: its name, the wrong line of mathematics, what it does in words, and how to mend it.

    shows: the smallest problem on which it shows, in words; empty where there is none of logits. other_names: what it
    is called in the other scope.
    """

    name: str
    wrong: str
    says: str
    mend: str
    shows: str = ""
    other_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cost:
    """What calls of one shape and dtype cost: the median time over that of the yardstick, and in seconds.

    middle: between which ratios the middle half of the rounds lies. ulp: how far off the answer is; None: not measured.
    """

    dtype: str
    shape: str
    ratio: float | None
    middle: tuple[float, float] | None
    seconds: float | None
    n_bytes: int | None
    note: str
    ulp: float | None


@dataclass(frozen=True)
class Output:
    """One output of a layer: on how many checks of it every problem passed, and the worst of those that did not."""

    name: str
    n_passed: int
    n_failed: int
    failed: tuple[str, ...]


@dataclass(frozen=True)
class Subject:
    """One implementation of a report, and the report that it is in. number: of its place on the page. level: of the
    headings below its name."""

    report: Plain
    entry: Plain
    number: int = 1
    level: int = 2

    @property
    def name(self) -> str:
        return str(self.entry["name"])

    @property
    def verdict(self) -> str:
        return str(self.entry["verdict"])

    @property
    def glyph(self) -> str:
        return GLYPHS[self.verdict]

    @property
    def meaning(self) -> str:
        return MEANINGS[self.verdict]

    @property
    def place(self) -> Plain | None:
        found: Plain | None = self.entry.get("place")
        return found

    @cached_property
    def defects(self) -> tuple[tuple[Defect, ...], ...]:
        """Sets of known defects, each of which explains what was seen; none where nothing known does."""
        diagnosis = self.entry["diagnosis"]
        if diagnosis is None:
            return ()
        conduct = tuple(diagnosis["conduct"])
        said = {name: text for one in diagnosis["alternatives"] for name, text in one.get("said", {}).items()}
        sets = [(*one["defects"], *conduct) for one in diagnosis["alternatives"]] or ([conduct] if conduct else [])
        return tuple(tuple(self._defect(name, said.get(name, "")) for name in names) for names in sets)

    @cached_property
    def letters(self) -> list[str]:
        """What the letters in the formulas of its defects stand for."""
        known = [one for some in self.defects for one in some]
        return letters_of([text for one in known for text in (one.wrong, one.mend)], self.entry["scope"])

    @cached_property
    def failures(self) -> tuple[Failure, ...]:
        """What costs the level, the most costly first."""
        return failures_of(self.entry)

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """What to look at first: a failure for each of several defects, or the first failure."""
        return examples_of(self.entry)

    @cached_property
    def not_accurate(self) -> Failure | None:
        """What keeps it from being accurate, where it is stable and no more was asked for."""
        return None if self.failures else below_accurate(self.entry)

    @property
    def n_checks(self) -> int:
        """How many checks were tried."""
        return len({one["check"] for one in self.entry["results"]})

    @cached_property
    def advice(self) -> tuple[Plain, ...]:
        """What failed without lowering the verdict, one for each check."""
        found = {one["check"]: one for one in self.entry["results"] if one["advice"] and not one["passed"]}
        return tuple(found.values())

    @cached_property
    def matrix(self) -> tuple[Group, ...]:
        return matrix_of(self.entry)

    @cached_property
    def axes(self) -> tuple[AxisFigures, ...]:
        """The axes that are drawn, those with an error over the bound first."""
        return axis_figures(self.entry)

    @property
    def margin(self) -> AxisFigures | None:
        """The axis on which implementations are compared."""
        return next((one for one in self.axes if one.name == "margin"), None)

    @cached_property
    def differences(self) -> tuple[DifferenceFigure, ...]:
        curves = self.entry.get("curves")
        return tuple(difference_figure(one, self.entry["met"]) for one in curves["differences"]) if curves else ()

    @cached_property
    def no_curves(self) -> str:
        """Why there are no curves, where there are none."""
        if self.axes:
            return ""
        if "curves" not in self.entry:
            return "This report is of an earlier version, which has no curves. Run gradlab check again to have them."
        if self.entry["cut_short"] or self.entry["advice_on_kind"]:
            return "The run ended early, so that no curves were measured."
        return "No curves were measured in this run."

    @cached_property
    def costs(self) -> tuple[Cost, ...]:
        """What calls cost, where that was measured."""
        found = [one for one in self.report["timing"]["measurements"] if one["implementation"] == self.name]
        return tuple(_cost(one) for one in found)

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        """The outputs of a layer, each with the checks that look at it."""
        layer = self.entry["claims"].get("layer")
        return tuple(_output(name, self.entry["results"]) for name in layer["returns"]) if layer else ()

    @property
    def seconds(self) -> float | None:
        names = [one["name"] for one in self.report["implementations"]]
        return float(self.report["timing"]["seconds"][names.index(self.name)])

    @cached_property
    def worst_ulp(self) -> Mapping[str, float]:
        """How far the worst entries are off, in ULP, by dtype, of all problems.

        Of a loss of logits these are the largest errors in ULP, where the checks of level accurate ran. The sums of a
        layer may cancel: there it is the entry with the largest error over its proved bound.
        """
        found: dict[str, float] = {}
        telling = "of_the_layer_is_right" if self.entry["scope"] == "layer" else "within_a_few_ulp"
        for one in self.entry["results"]:
            if one["check"].endswith(telling) and one["ulp"] is not None:
                found[one["dtype"]] = max(found.get(one["dtype"], 0.0), float(one["ulp"]))
        return found

    @property
    def no_cause(self) -> str:
        """What is said where no known defect explains the failures."""
        where = self.entry["localisation"]
        if where is not None:
            return str(where["what"] or "No known mistake. Where it is wrong was found by experiment.")
        if self.entry.get("missing"):
            return "What it is was not found out: something is missing here."
        return str(self.entry["advice_on_kind"] or self.entry["cut_short"] or "It looks like no known mistake.")

    def _defect(self, name: str, said: str) -> Defect:
        """What is known of a defect. said: what this one does, with its parameter; "": as its specimen."""
        known = (
            {**layer_specimens(), **specimens()}
            if self.entry["scope"] == "logits"
            else {**specimens(), **layer_specimens()}
        )
        one = known.get(name)
        if one is None:  # of another version of gradlab
            return Defect(name, said, "", "")
        others = tuple(other_names(name, self.entry["scope"]))
        says = "" if said else " ".join(str(getattr(one, "says", "") or one.function.__doc__ or "").split())
        return Defect(name, said or one.wrong, says, _opening_large(one.mend), "" if said else _witness(one), others)


def subjects_of(reports: Sequence[Plain]) -> list[Subject]:
    """All implementations of several reports, the worst verdict first; of one verdict, in their order."""
    pairs = [(report, entry) for report in reports for entry in report["implementations"]]
    pairs.sort(key=lambda pair: (VERDICTS.index(pair[1]["verdict"]), pair[1]["met"]))
    level = 2 if len(pairs) == 1 else 3
    return [Subject(report, entry, number, level) for number, (report, entry) in enumerate(pairs, 1)]


def _cost(one: Plain) -> Cost:
    ratios = sorted(one["ratios"])
    n, shape = len(ratios), " × ".join(map(str, one["shape"]))
    ratio, middle = (ratios[n // 2], (ratios[n // 4], ratios[(3 * n) // 4])) if ratios else (None, None)
    ulp = None if one.get("ulp") is None else float(one["ulp"])
    return Cost(one["dtype"], shape, ratio, middle, one["seconds"], one["bytes_beyond_the_gradient"], one["note"], ulp)


def _opening_large(text: str) -> str:
    """A sentence with a capital; what opens with a formula stays as it is."""
    first, second = (*text.split(), "", "")[:2]
    return text[:1].upper() + text[1:] if first.isalpha() and "=" not in second else text


def _witness(specimen: Any) -> str:
    """The smallest problem that shows a defect, where it is small enough to be read."""
    rows, labels = getattr(specimen, "logits", None), getattr(specimen, "labels", None)
    text = f"logits {rows}, {'targets' if labels and isinstance(labels[0], list) else 'labels'} {labels}"
    return text if rows and len(text) <= LONGEST_WITNESS else ""


def _output(name: str, results: Sequence[Plain]) -> Output:
    own = [one for one in results if one["where"].split("[")[0].split(".")[0] == name and not one["advice"]]
    failed = tuple(dict.fromkeys(one["check"] for one in own if not one["passed"]))
    return Output(name, sum(one["passed"] for one in own), sum(not one["passed"] for one in own), failed)
