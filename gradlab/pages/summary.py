"""A report as a step summary for a forge: Markdown, with the cliff drawn in characters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gradlab.compare.markdown import cap
from gradlab.evaluation.text import code_span
from gradlab.pages.content import Subject, subjects_of
from gradlab.pages.curves import PARTS
from gradlab.pages.failures import costly
from gradlab.pages.junit import sentence
from gradlab.pages.numbers import bits_lost
from gradlab.problems.dtypes import format_of

ROWS = 6  # of a picture
MISSING = "x"
DRAWN = ("target", "dW", "dX", "db")  # the first of these that there is


def summary_text(reports: Sequence[Mapping[str, Any]]) -> str:
    """The Markdown of some reports, short enough for a step summary of GitHub's."""
    return cap(_lines(reports))


def _lines(reports: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    subjects = subjects_of(reports)
    yield "## gradlab"
    yield ""
    yield "| implementation | verdict | level | |"
    yield "|---|---|---|---|"
    for one in subjects:
        met = "met" if one.entry["met"] else "not met"
        yield f"| {code_span(one.name)} | {one.glyph} **{one.verdict}** | {one.entry['level']} {met} | {one.meaning} |"
    for report in reports:
        for left in report["not_checked"]:
            yield f"| {code_span(left['name'])} | not checked | | {code_span(left['reason'])} |"
    for one in subjects:
        yield from _subject_lines(one)


def _subject_lines(subject: Subject) -> Iterator[str]:
    yield ""
    yield f"### {code_span(subject.name)}"
    yield ""
    for some in subject.defects:
        for one in some:
            yield f"- **{one.name}**: {code_span(one.wrong)}" if one.wrong else f"- **{one.name}**"
            if one.mend:
                yield f"  - to mend it: {code_span(one.mend)}"
    for one in subject.entry.get("missing") or ():
        yield f"- missing: {one['explanation']}, for an error of gradlab's own: {code_span(one['error'])}"
    failed = costly(subject.entry)
    for result in failed[:5]:
        yield f"- ✗ `{result['check']}` in {result['dtype']}: {code_span(sentence(result))}"
    if len(failed) > 5:
        yield f"- and {len(failed) - 5} more"
    for curve in (subject.entry.get("curves") or {"axes": ()})["axes"]:
        if curve["axis"] == "margin" and (part := next((one for one in DRAWN if one in curve["parts"]), "")):
            yield ""
            yield f"Bits lost in {curve['dtype']} by {PARTS[part]}, against the margin m of (m, 0):"
            yield ""
            yield "```text"
            yield from picture(curve, part)
            yield "```"


def picture(curve: Mapping[str, Any], part: str) -> Iterator[str]:
    """The bits lost along the margin as bars of characters, a column for each value; x where no number came back."""
    fmt, values = format_of(curve["dtype"]), curve["values"]
    lost = [bits_lost(one, fmt) for one in curve["parts"][part]["errors"]]
    for row in range(ROWS, 0, -1):
        least = (row - 0.5) / ROWS * fmt.precision
        bars = "".join(MISSING if one is None else "#" if one >= least else " " for one in lost)
        yield f"{fmt.precision * row // ROWS:>4} |{bars}"
    yield f"   0 +{'-' * len(values)}"
    labels = [" "] * (len(values) + 8)
    for start in range(0, len(values), 12):
        for place, letter in enumerate(f"{values[start]:.3g}"):
            labels[start + place] = letter
    yield f"  m = {''.join(labels).rstrip()}"
