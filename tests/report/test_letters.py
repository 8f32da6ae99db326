"""What the letters of a formula stand for is said of every known mistake, and of no word that looks like a letter."""

from __future__ import annotations

import re

import pytest

from gradlab.report.explanations import explanations
from gradlab.report.letters import LETTERS, letters_of
from gradlab.targets.shipped import layer_specimens, specimens

KNOWN = {"logits": specimens(), "layer": layer_specimens()}


def heads(*texts: str, scope: str = "logits") -> list[str]:
    """The letters that are told of some texts."""
    return [re.split(r"[:=_ ]", one)[0] for one in letters_of(texts, scope)]


def test_letters_with_an_index_and_without_are_told() -> None:
    assert heads("loss = log sum exp(d) - d_y") == ["d", "x"]
    assert heads("g_ij = p_ij - [j is the label of any row]") == ["p", "g"]
    assert heads("dW = X^T (P - T)/N", scope="layer") == ["P", "T", "N"]


def test_the_letters_that_a_meaning_has_are_told_too() -> None:
    assert heads("e / e.sum(axis=1, keepdims=True)", scope="layer") == ["d", "z", "e"]


def test_words_and_code_are_no_letters() -> None:
    assert heads("copy a row, and keep it; x.shape; d|h|/dh; d_max(a); X.T") == []


def test_what_the_text_says_itself_is_not_told_again() -> None:
    assert heads("loss = log sum exp(d) - d_y, with d = x - max x") == ["x"]


@pytest.mark.parametrize("scope", LETTERS)
def test_the_shifted_logits_are_told_wherever_a_mend_has_them(scope: str) -> None:
    having = [one for one in KNOWN[scope].values() if re.search(r"(?<!\w)d(_[jy]\b|\[)", f"{one.wrong} {one.mend}")]
    assert having
    for one in having:
        told = [one.wrong, one.mend, *letters_of([one.wrong, one.mend], scope)]
        assert any(re.search(r"(?<!\w)d = [xz] - max [xz]", text) for text in told), one.name


@pytest.mark.parametrize("name", ["zero_times_infinity", "one_hot_times_log"])
def test_explain_tells_the_letters(name: str) -> None:
    (line,) = [line for line in explanations()[name]() if line.startswith("letters: ")]
    assert "less the largest of that row" in line
