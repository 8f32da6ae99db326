"""A chart whose every margin was tried says so: exhaustive where a certificate covers it, searched elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from gradlab.pages.content import subjects_of
from gradlab.pages.curves import figure_of
from gradlab.pages.page import report_page
from gradlab.report.json import schema_fault
from tests.pages.test_page import words_of

Report = dict[str, Any]
EXHAUSTIVE, SEARCHED = "largest so far of every margin (exhaustive)", "largest so far (searched)"


def curve_of(report: Report) -> dict[str, Any]:
    """The curve against the margin."""
    (entry,) = report["implementations"]
    (found,) = [one for one in entry["curves"]["axes"] if one["axis"] == "margin"]
    return dict(found)


def with_cover(report: Report) -> Report:
    """The report, with a certificate that covers one part of one curve."""
    first = curve_of(report)["values"][0]
    part = {"margins": [first, 2.0, 16.0], "largest": [0.5, 4.0, 2.0**24], "worst": 2.0**24, "at": "0x1.1p+4"}
    said = {
        "certificate": "some/shifted.json",
        "made_with": "NumPy 2.4.6 on a processor",
        "n_margins": 1120927744,
        "n_probes": 1053,
        "end": 104.0,
        "parts": {"target": part},
    }
    for one in report["implementations"][0]["curves"]["axes"]:
        if one["axis"] == "margin":
            one["covered"] = said
    assert schema_fault(report) is None
    return report


@pytest.fixture
def covered(sound: Report) -> Report:
    return with_cover(sound)


def words(parts: str) -> str:
    return " ".join(words_of(parts).replace("( ", "(").replace(" )", ")").split())


def test_the_largest_so_far_is_labelled_by_what_it_is_worth(covered: Report) -> None:
    page = words(report_page([covered]))
    assert EXHAUSTIVE in page
    assert SEARCHED in page
    assert "bound of level stable (proved)" in page


def test_without_a_certificate_nothing_is_called_exhaustive(sound: Report) -> None:
    page = report_page([sound])
    assert SEARCHED in words(page)
    assert EXHAUSTIVE not in words(page)
    assert 'class="exhaustive"' not in page


def test_the_line_is_exhaustive_up_to_the_last_margin_and_searched_from_there_on(covered: Report) -> None:
    curve, (entry,) = curve_of(covered), covered["implementations"]
    series = {one.kind: one for one in figure_of(curve, "target", entry).chart.series}
    end = 6 + 40 / 64  # where 104 lies among the floats
    assert [y for _, y in series["exhaustive"].points] == [0.0, 3.0, 24.0, 24.0]
    assert series["exhaustive"].points[-1] == (end, 24.0)
    assert series["largest"].points[0] == (end, 24.0)
    assert {y for _, y in series["largest"].points} == {24.0}
    assert len(series["largest"].points) - 1 == sum(value > 104 for value in curve["values"]) > 0
    others = {one.kind for one in figure_of(curve, "others", entry).chart.series}
    assert others == {"allowed", "largest", "error"}


def test_a_value_that_is_no_number_lies_in_the_band(covered: Report) -> None:
    curve, (entry,) = curve_of(covered), covered["implementations"]
    curve["covered"]["parts"]["target"].update(largest=[0.5, 4.0, "inf"], worst="inf")
    assert schema_fault(covered) is None
    figure = figure_of(curve, "target", entry)
    (line,) = [one for one in figure.chart.series if one.kind == "exhaustive"]
    assert [y for _, y in line.points] == [0.0, 3.0, None, None]
    said = "Exhaustive: the smallest margin at which no finite number comes back is m = 17 (0x1.1p+4)."
    assert said in figure.sentence


def test_what_it_covers_and_its_largest_error_are_said(covered: Report) -> None:
    page = words(report_page([covered]))
    assert "of all margins below 104 the largest error is 1.678e+07 ULP, at m = 17 (0x1.1p+4)." in page
    assert "some/shifted.json is a certificate of this code, found by the contents of its files." in page
    assert "All 1,120,927,744 float32 margins from 0 up to 104 were tried, with NumPy 2.4.6 on a processor." in page


def test_the_table_has_a_column_of_it(covered: Report) -> None:
    (subject,) = subjects_of([covered])
    assert subject.margin is not None
    (figures,) = subject.margin.dtypes
    at = 1 + figures.heads.index("largest so far (exhaustive)")
    cells = {float(row[0]): row[at] for row in figures.rows}
    assert {cell for value, cell in cells.items() if value < 2} == {"0.5"}
    assert {cell for value, cell in cells.items() if 2 <= value < 16} == {"4"}
    assert {cell for value, cell in cells.items() if 16 <= value < 104} == {"1.68e+07"}
    assert {cell for value, cell in cells.items() if value >= 104} == {"\u2013"}
    assert figures.heads.count("largest so far (exhaustive)") == 1


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"largest": [1.0]}, "largest of what is covered must have 3 numbers, got 1"),
        ({"margins": [0.0, 2.0, 16.0]}, "the margins of what is covered must begin where the curve does, and grow"),
        ({"margins": [0.125, 16.0, 2.0]}, "the margins of what is covered must begin where the curve does, and grow"),
    ],
)
def test_a_report_whose_cover_cannot_be_drawn_is_refused(covered: Report, changes: dict[str, Any], fault: str) -> None:
    curve_of(covered)["covered"]["parts"]["target"].update(changes)
    assert schema_fault(covered) == fault


def test_no_text_of_a_certificate_is_markup(covered: Report) -> None:
    curve_of(covered)["covered"].update(certificate="<img src=x>", made_with="<script>alert(1)</script>")
    page = report_page([covered])
    assert "<img" not in page
    assert page.count("<script") == 2
