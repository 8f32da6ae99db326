"""Implementations with a time and an error are points of one picture; those without are not."""

from __future__ import annotations

import json
from typing import Any

from gradlab.pages.content import subjects_of
from gradlab.pages.page import report_page
from gradlab.pages.speed import speed_figures
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
