"""Implementations with a time and an error are points of one picture, and sizes of one of them; others are not."""

from __future__ import annotations

import json
from typing import Any

from gradlab.pages.content import subjects_of
from gradlab.pages.drawing import Word
from gradlab.pages.page import report_page
from gradlab.pages.speed import size_figures, speed_figures
from gradlab.report.json import schema_fault
from tests.pages.test_page import words_of

Report = dict[str, Any]


def timed(report: Report, name: str, ratios: list[float], ulp: float | str = 4.0) -> Report:
    """The report as one on an implementation of another name, with these times, and this largest error."""
    found: Report = json.loads(json.dumps(report))
    (entry,) = found["implementations"]
    entry["name"] = name
    for one in entry["results"]:
        if one["check"].endswith("within_a_few_ulp"):
            one["ulp"] = ulp
    first = found["timing"]["measurements"][0]
    found["timing"]["measurements"] = [{**first, "implementation": name, "ratios": [ratio]} for ratio in ratios]
    return found


def test_each_is_at_the_median_of_its_times_and_the_bits_that_it_loses(sound: Report) -> None:
    subjects = subjects_of([timed(sound, "a", [1, 4, 9]), timed(sound, "b", [2, 2, 2], 16.0)])
    (figure,) = speed_figures(subjects)
    assert figure.rows == (("1. a", "4", "3.0"), ("2. b", "2", "5.0"))
    assert [(one.x, one.y, one.text) for one in figure.chart.words] == [(2.0, 3.0, "1"), (1.0, 5.0, "2")]
    assert figure.chart.sentence == "Most accurate: a; fastest: b."


def test_what_is_no_finite_number_is_drawn_in_the_band(sound: Report) -> None:
    (figure,) = speed_figures(subjects_of([timed(sound, "a", [1], "inf"), timed(sound, "b", [2])]))
    assert figure.rows[0] == ("1. a", "1", "no finite number")
    assert figure.chart.sentence == "Most accurate: b; fastest: a."


def test_one_alone_or_without_a_time_is_not_drawn(sound: Report) -> None:
    assert speed_figures(subjects_of([timed(sound, "a", [1])])) == ()
    assert speed_figures(subjects_of([timed(sound, "a", [1]), timed(sound, "b", [])])) == ()


def test_the_page_has_the_picture_and_its_table_and_times_by_dtype(sound: Report) -> None:
    words = words_of(report_page([timed(sound, "a", [1, 4, 9]), timed(sound, "b", [])]))
    assert "float32 1 to 9" in words
    assert "not measured" in words
    assert "Accuracy against speed, side by side" not in words
    words = words_of(report_page([timed(sound, "a", [1, 4, 9]), timed(sound, "b", [2])]))
    assert "Accuracy against speed, side by side" in words
    assert "1. a 4 3.0" in words


def sized(report: Report, *sizes: tuple[int, list[float], float | str | None]) -> Report:
    """The report with a measurement for each size: its classes, ratios and error."""
    found = timed(report, "a", [1], 2.0**23)
    (first,) = found["timing"]["measurements"]
    found["timing"]["measurements"] = [
        {**first, "shape": [64, n], "ratios": ratios, "ulp": ulp} for n, ratios, ulp in sizes
    ]
    return found


def test_each_size_of_one_implementation_is_at_its_time_and_its_own_error(sound: Report) -> None:
    report = sized(sound, (10, [1.0, 2.0, 4.0], 4.0), (1000, [8.0], 16.0))
    assert schema_fault(report) is None
    (figure,) = size_figures(subjects_of([report])[0])
    series = {one.kind: list(one.points) for one in figure.chart.series}
    assert series["error"] == [(1.0, 3.0), (3.0, 5.0)]
    assert series["worst"] == [(0.0, 24.0), (3.0, 24.0)]
    assert [(one.x, one.text) for one in figure.chart.words] == [(1.0, "64 \u00d7 10"), (3.0, "64 \u00d7 1000")]
    assert [mark.label for mark in figure.chart.verticals] == ["yardstick"]
    assert figure.chart.sentence == (
        "64 \u00d7 10: 2 times the yardstick, 3.0 of 24 bits lost; "
        "64 \u00d7 1000: 8 times the yardstick, 5.0 of 24 bits lost; "
        "the worst entry of all problems: 24.0 of 24 bits lost."
    )


def test_the_middle_half_of_the_rounds_is_a_line_through_the_point(sound: Report) -> None:
    (figure,) = size_figures(subjects_of([sized(sound, (10, [16.0, 1.0, 2.0, 8.0, 4.0], 4.0))])[0])
    assert [list(one.points) for one in figure.chart.series if one.kind == "spread"] == [[(1.0, 3.0), (3.0, 3.0)]]


def test_sizes_of_one_time_have_their_words_above_each_other(sound: Report) -> None:
    sizes = [(n, [2.0], 4.0) for n in (10, 1000, 32000)]
    (figure,) = size_figures(subjects_of([sized(sound, *sizes)])[0])
    heights = [word.y for word in figure.chart.words if isinstance(word, Word) and word.y is not None]
    assert len(heights) == len(set(heights)) == 3
    assert heights == sorted(heights)
    assert sum(one.kind == "part" for one in figure.chart.series) == 2  # a line from each word that is further up


def test_a_size_without_an_answer_lies_in_the_band(sound: Report) -> None:
    (figure,) = size_figures(subjects_of([sized(sound, (10, [2.0], "inf"))])[0])
    assert [list(one.points) for one in figure.chart.series if one.kind == "error"] == [[(1.0, None)]]
    assert "64 \u00d7 10: 2 times the yardstick, no finite number;" in figure.chart.sentence


def test_a_report_without_errors_of_sizes_has_those_of_the_worst_entry(sound: Report) -> None:
    report = sized(sound, (10, [2.0], None))
    del report["timing"]["measurements"][0]["ulp"]  # as in earlier versions
    assert schema_fault(report) is None
    (figure,) = size_figures(subjects_of([report])[0])
    assert [list(one.points) for one in figure.chart.series if one.kind == "error"] == [[(1.0, 24.0)]]


def test_without_times_there_is_no_picture_and_the_table_says_why(sound: Report) -> None:
    report = sized(sound, (10, [], None))
    report["timing"]["measurements"][0].update(seconds=None, bytes_beyond_the_gradient=None, note="too slow")
    assert size_figures(subjects_of([report])[0]) == ()
    words = words_of(report_page([report]))
    assert "64 \u00d7 10 too slow" in words
    assert "Each dot is one size" not in words


def test_the_page_of_one_has_the_picture_before_its_table(sound: Report) -> None:
    page = report_page([sized(sound, (10, [2.0], 4.0))])
    cost = page[page.index('id="cost-1"') : page.index('id="power-1"')]
    assert cost.index("<figure>") < cost.index("<table")
    assert "64 \u00d7 10 2 0.01 7,842 4 8.39e+06" in words_of(page)
