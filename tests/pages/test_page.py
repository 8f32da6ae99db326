"""A page says what its report says, is the same for the same report, and takes no text for markup."""

from __future__ import annotations

import copy
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from gradlab.pages.content import subjects_of
from gradlab.pages.differences import difference_figure
from gradlab.pages.drawing import FAILS
from gradlab.pages.failures import failures_of
from gradlab.pages.page import LARGEST, json_for_a_page, report_page
from gradlab.pages.words import WORDS
from gradlab.report.json import schema_fault
from tests.pages.hostile import TEXT, hostile
from tools.example_reports import data_of

Report = dict[str, Any]


def words_of(page: str) -> str:
    """What a page says, without its markup, sheet and scripts."""
    body = re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def test_the_page_on_code_c_says_what_is_wrong_where_and_how_to_mend_it(wrong: Report) -> None:
    words = words_of(report_page([wrong]))
    opening = words[: words.index("Checks that fail")]
    assert "unstable : right on moderate logits, breaks on extreme ones" in opening
    assert "The largest logit of the whole batch is subtracted, not that of each row." in opening
    assert re.search(r"loss is inf , and must be 104 .*teaching_global_shift.py , line \d+", opening)
    assert "Subtract the largest logit of each row: logits.max(axis=1, keepdims=True)" in opening


def test_each_of_several_mistakes_has_a_failure_that_it_explains_by_itself(wrong: Report) -> None:
    words = words_of(report_page([wrong]))
    where = words[words.index("Where it shows") : words.index("How to mend it")]
    assert re.search(r"For the rows of logits \(0, 0\) and \(900, 0\) with labels 0, 0,", where)
    assert re.search(r"gradient\[0, 0\] is nan , and must be -0.25", where)
    assert "This comes of global_shift alone." in where
    assert re.search(r"For logits 0, 104 and label 0 , in float32: loss is inf , and must be 104", where)
    assert "This comes of zero_times_infinity alone." in where


def test_without_examples_the_first_failure_is_shown(wrong: Report) -> None:
    del wrong["implementations"][0]["diagnosis"]["examples"]
    words = words_of(report_page([wrong]))
    where = words[words.index("Where it shows") : words.index("How to mend it")]
    assert "For logits 0, 104 and label 0 , in float32: loss is inf , and must be 104" in where
    assert "This comes of" not in where


def test_the_worst_verdict_comes_first(reports: dict[str, Report]) -> None:
    words = words_of(report_page([reports["shifted"], reports["teaching_global_shift"]]))
    assert "The worst verdict comes first" in words
    headings = [
        words.index(f"{number} of 2: back to the verdicts {name}")
        for number, name in enumerate(("teaching_global_shift", "shifted"), 1)
    ]
    assert headings == sorted(headings)


def test_implementations_of_one_verdict_stay_in_their_order(sound: Report) -> None:
    names = ["c", "a", "b"]
    many = [json.loads(json.dumps(sound)) for _ in names]
    for name, report in zip(names, many, strict=True):
        report["implementations"][0]["name"] = name
        report["timing"]["measurements"] = []
    assert [one.name for one in subjects_of(many)] == names


def test_a_failure_has_its_value_in_decimal_hexadecimal_and_bits_and_code_to_copy(wrong: Report) -> None:
    words = words_of(report_page([wrong]))
    assert "came back inf \u2013 0 11111111 00000000000000000000000" in words
    assert re.search(r"must be 104 ± \S+ 0x1.a0{12}p\+6 0 10000101 1010{20}", words)
    assert "print(teaching_global_shift(np.array([[0, 104]], dtype=np.float32), np.array([0])))" in words


def test_every_check_is_in_the_table_with_a_word_beside_its_colour(wrong: Report) -> None:
    words = words_of(report_page([wrong]))
    for result in wrong["implementations"][0]["results"]:
        state = "passes" if result["passed"] else "advice" if result["advice"] else "(fails|advice)"
        assert re.search(rf"{result['check']} [^✓✗]*. {state} \d+", words), result["check"]


def test_the_prediction_is_drawn_over_what_was_observed(wrong: Report, sound: Report) -> None:
    assert 'class="predicted" d="M' in report_page([wrong])
    assert 'class="predicted" d="M' not in report_page([sound]).replace('class="predicted" d="M1 5H23"', "")


def test_the_cliff_of_the_shifted_form_is_marked_and_told(sound: Report) -> None:
    words = words_of(report_page([sound]))
    assert "p is 1 from 16.6" in words
    assert re.search(
        r"All 24 bits are lost at \d+ of 72 problems; level stable allows that: no error is over its", words
    )


@pytest.mark.parametrize("names", [("teaching_global_shift",), ("teaching_global_shift", "shifted")])
def test_a_page_is_one_file_of_at_most_1_mib_that_names_no_other(
    reports: dict[str, Report], names: tuple[str, ...]
) -> None:
    page = report_page([reports[name] for name in names])
    assert len(page.encode()) <= LARGEST == 2**20
    assert re.findall(r'\b(?:src|href|action)="(?!#)[^"]*', page) == []
    assert "url(" not in page
    assert "@import" not in page


def test_a_page_that_would_be_too_large_leaves_out_its_data_and_says_so(wrong: Report) -> None:
    page = report_page([wrong] * 6)
    assert len(page.encode()) <= LARGEST
    assert "too large to be in this file as JSON" in page


def test_the_same_report_gives_the_same_bytes(wrong: Report) -> None:
    assert report_page([wrong]) == report_page([json.loads(json.dumps(wrong))])


def test_the_data_in_the_page_are_those_of_the_report(wrong: Report) -> None:
    (data,) = data_of(report_page([wrong]))
    shown = [one["simplest"] for one in data["implementations"][0]["results"]]
    assert shown == [one["simplest"] for one in wrong["implementations"][0]["results"]]
    assert data["implementations"][0]["curves"] == wrong["implementations"][0]["curves"]


def test_json_in_a_page_ends_no_element() -> None:
    text = str(json_for_a_page({"a": "</script><!-- & ]]>"}))
    assert "<" not in text
    assert json.loads(text) == {"a": "</script><!-- & ]]>"}
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_for_a_page(float("nan"))


def test_no_text_of_a_report_is_markup(wrong: Report) -> None:
    page = report_page([hostile(wrong)])
    assert page.count("<script") == 2  # its own, and its data
    assert "<img" not in page
    assert "{{" not in words_of(page).replace("{{ 7 * 7 }}", "")
    assert "49" not in words_of(page).partition(TEXT[:20])[0]


def test_a_report_of_version_6_says_what_it_does_not_have(wrong: Report) -> None:
    old = {**wrong, "schema": "gradlab-report-6"}
    for entry in old["implementations"]:
        del entry["curves"], entry["place"]
        for result in entry["results"]:
            (result["simplest"] or {}).pop("code", None)
    assert "This report is of an earlier version, which has no curves." in words_of(report_page([old]))


def test_several_implementations_stand_side_by_side(reports: dict[str, Report]) -> None:
    page = report_page(list(reports.values()))
    words = words_of(page)
    assert "Error against margin, side by side" in words
    assert 'href="#subject-1">teaching_global_shift' in page
    assert 'href="#subject-2">shifted' in page
    assert len(re.findall(r'id="([^"]*)"', page)) == len(set(re.findall(r'id="([^"]*)"', page)))


def test_what_was_not_tested_is_said(sound: Report) -> None:
    words = words_of(report_page([sound]))
    assert "What was not tested" in words
    assert "searched, not proved" in words
    assert "Dtypes other than float32" in words


def test_the_packages_that_a_target_rests_on_are_told_with_their_versions(sound: Report) -> None:
    numpy = sound["timing"]["machine"]["numpy"]
    sound["timing"]["packages"] = {"torch": "2.13.0"}
    assert f"NumPy {numpy}, torch 2.13.0" in words_of(report_page([sound]))
    del sound["timing"]["packages"]  # a report of an earlier version
    assert f"NumPy {numpy} shifted" in words_of(report_page([sound]))


def test_a_report_on_nothing_is_a_page() -> None:
    empty = {"schema": "gradlab-report-7", "implementations": [], "not_checked": [], "gradlab": "0", "seed": 0}
    empty |= {
        "profile": "quick",
        "timing": {"seconds": [], "measurements": [], "machine": dict.fromkeys(("processor", "python", "numpy"), "x")},
    }
    assert "Nothing was checked" in words_of(report_page([empty]))


def test_a_time_by_gradlabs_own_clock_is_shown_with_its_note(sound: Report) -> None:
    sound["timing"]["measurements"][0]["note"] = "by gradlab's clock; the process itself told 0.002 ms"
    words = words_of(report_page([sound]))
    assert "10 2 0.01 (by gradlab's clock; the process itself told 0.002 ms) 7,842" in words
    assert "1000 too slow" in words


def test_a_stable_implementation_is_told_what_keeps_it_from_being_accurate(sound: Report) -> None:
    words = words_of(report_page([sound]))
    assert "Where it is less than accurate (not asked for)" in words
    assert re.search(r"For logits 30, 0 and label 0 , in float32: \S.*? is \S+ , and exactly \S+", words)


def test_a_report_is_refused_whose_curves_have_lists_of_unlike_lengths(wrong: Report) -> None:
    assert schema_fault(wrong) is None
    damaged = copy.deepcopy(wrong)
    curve = damaged["implementations"][0]["curves"]["axes"][0]
    del curve["parts"]["loss"]["errors"][0]
    number = len(curve["values"])
    assert schema_fault(damaged) == f"errors of a curve must have {number} numbers, got {number - 1}"


def test_values_of_a_curve_are_numbers(wrong: Report) -> None:
    damaged = copy.deepcopy(wrong)
    damaged["implementations"][0]["curves"]["axes"][0]["values"][0] = "nan"
    assert schema_fault(damaged)


def test_differences_of_which_no_number_came_back_are_drawn() -> None:
    nothing = {name: ["nan", "inf"] for name in ("errors", "bounds", "truncation")}
    assert difference_figure({"dtype": "float32", "slope": 0.0, "steps": [0, 0], **nothing}, met=True).state is FAILS


PARTS = ("What is wrong", "Where it shows", "How to mend it", "Checks that fail", "Every check", "How far off")


@pytest.mark.parametrize("names", [("teaching_global_shift",), ("teaching_global_shift", "shifted")])
def test_the_diagnosis_comes_before_checks_and_charts(reports: dict[str, Report], names: tuple[str, ...]) -> None:
    page = report_page([reports[name] for name in names])
    words = words_of(page)
    places = [words.index(part) for part in PARTS]
    assert places == sorted(places)
    assert page.index("<figure>") > page.index("How to mend it")


def test_no_chart_of_code_that_is_wrong_reads_as_an_acquittal(wrong: Report) -> None:
    page = report_page([wrong])
    assert 'class="says passes"' not in page
    assert "no error is over its bound" not in page
    assert "Level stable allows that: what is wrong does not show in these problems." in words_of(page)


def test_a_chart_of_code_below_the_level_accurate_says_what_was_asked_for(sound: Report) -> None:
    (entry,) = sound["implementations"]
    entry.update(level="accurate", met=False)
    page = report_page([sound])
    assert 'class="says passes"' not in page
    assert "Level stable allows that; level accurate allows a few ULP." in words_of(page)


def test_axes_with_an_error_over_the_bound_come_first(wrong: Report) -> None:
    (subject,) = subjects_of([wrong])
    assert [one.exceeds for one in subject.axes] == sorted((one.exceeds for one in subject.axes), reverse=True)
    assert subject.margin is not None


def test_the_levels_are_named_from_worst_to_best_and_explained(wrong: Report) -> None:
    page = report_page([wrong])
    levels = "wrong < unstable (this code) < stable (asked for: not met) < accurate"
    assert levels in words_of(page)
    assert page.count('id="words"') == 1
    for word, meaning in WORDS.items():
        assert f"{word} {meaning}" in words_of(page)


def test_words_that_the_glossary_has_too_are_in_it() -> None:
    glossary = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8")
    missing = [word for word in WORDS if f"| **{word}" not in glossary]
    assert missing == ["answer", "known mistake", "bits lost"]


def test_what_is_counted_is_said(wrong: Report) -> None:
    words, (entry,) = words_of(report_page([wrong])), wrong["implementations"]
    n_checks = len({one["check"] for one in entry["results"]})
    assert re.search(rf"Of {n_checks} checks \d+ fail. In brackets: on how many problems a check fails,", words)
    known = entry["diagnosis"]
    assert f"this code was called on {known['n_problems']} problems in float32" in words
    assert f"{known['n_wrong']} of these answers are wrong" in words


def test_where_a_mistake_does_not_explain_all_the_rest_is_told_as_such(wrong: Report) -> None:
    (entry,) = wrong["implementations"]
    entry["localisation"] = {"where": "wrong only where there is one class", "what": "there is no answer"}
    words = words_of(report_page([wrong]))
    assert "What these mistakes do not explain: wrong only where there is one class; there is no answer." in words
    entry["diagnosis"] = None
    words = words_of(report_page([wrong]))
    assert "Where it shows Wrong only where there is one class. For" in words


def test_what_its_own_loss_gives_is_shown_after_what_is_exact(wrong: Report) -> None:
    (entry,) = wrong["implementations"]
    entry["diagnosis"] = None
    for one in entry["results"]:
        one["group"] = "calculus" if one["check"] == "gradient_within_forward_error" else one["group"]
    names = [one.check for one in failures_of(entry) if one.is_number]
    assert names.index("gradient_within_forward_error") > names.index("loss_within_forward_error")


def test_each_mend_has_the_command_that_says_more_and_its_letters(wrong: Report) -> None:
    words = words_of(report_page([wrong]))
    mends = words[words.index("How to mend it") : words.index("Checks that fail")]
    for name in ("global_shift", "zero_times_infinity"):
        assert f"gradlab explain {name} says more of it" in mends
    assert "d = x - max x: the logits of a row less the largest of that row" in mends


def test_the_other_name_of_a_mistake_is_said(wrong: Report) -> None:
    assert "In a layer the same mistake is called one_hot_times_log ." in words_of(report_page([wrong]))


def test_a_layer_has_its_worst_entry_in_the_table(wrong: Report) -> None:
    (entry,) = wrong["implementations"]
    layer = copy.deepcopy(wrong)
    layer["implementations"][0]["scope"] = "layer"
    result = {**entry["results"][0], "check": "db_of_the_layer_is_right", "dtype": "float32", "ulp": 1.5e7}
    layer["implementations"][0]["results"] = [result]
    (subject,) = subjects_of([layer])
    assert subject.worst_ulp == {"float32": 1.5e7}
