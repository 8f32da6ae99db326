"""The printed derivation: complete, proved while it is printed, and usable in each of its three styles."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from sympy import Indexed

from gradlab.symbolic.derivation import derivation
from gradlab.symbolic.document import NAMES, document
from gradlab.symbolic.forms import FORMS
from gradlab.symbolic.proofs import ENTRY_BY_ENTRY, SYMBOLIC, TAYLOR, ProofError
from gradlab.symbolic.render import STYLES, derive
from tests.reference.numpy_routines import FORMS as FORMS_IN_NUMPY

STEPS = {name: [step for chain in form.chains for step in chain.steps] for name, form in FORMS.items()}
STEPS["definition"] = [step for chain in derivation() for step in chain.steps]


printed = cache(derive)
contents_of = cache(document)


@pytest.mark.parametrize("form", NAMES)
def test_the_text_names_every_step(form: str) -> None:
    text = printed(form)
    assert [step.name for step in STEPS[form] if f") {step.name}\n" not in text] == []


@pytest.mark.parametrize("form", NAMES)
def test_every_step_says_what_proved_it(form: str) -> None:
    methods = [line.method for section in contents_of(form).sections for line in section.lines if line.number]
    assert set(methods) <= {"", SYMBOLIC, ENTRY_BY_ENTRY}
    assert len([method for method in methods if method]) == len(STEPS[form])


@pytest.mark.parametrize("form", NAMES)
def test_the_programs_are_checked_by_taylor_arithmetic_too(form: str) -> None:
    assert f"[checked: {TAYLOR}]" in printed(form)


@pytest.mark.parametrize("form", NAMES)
def test_steps_are_numbered_from_1_without_a_gap(form: str) -> None:
    numbers = [line.number for section in contents_of(form).sections for line in section.lines if line.number]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("form", NAMES)
def test_every_letter_of_a_formula_is_explained(form: str) -> None:
    contents = contents_of(form)
    explained = {str(letter) for letter, _ in contents.letters}
    formulas = [side for section in contents.sections for line in section.lines for side in (line.left, line.right)]
    used = {str(entry.base) for formula in formulas for entry in formula.atoms(Indexed)}
    assert used <= explained


@pytest.mark.parametrize("form", NAMES)
def test_no_line_of_text_is_wider_than_110(form: str) -> None:
    assert max(map(len, printed(form).splitlines())) <= 110


@pytest.mark.parametrize("form", NAMES)
def test_the_latex_closes_what_it_opens(form: str) -> None:
    latex = printed(form, "latex")
    open_now: list[str] = []
    for kind, name in re.findall(r"\\(begin|end)\{([^}]*)\}", latex):
        assert kind == "begin" or open_now.pop() == name
        open_now += [name] if kind == "begin" else []
    assert open_now == []
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left") == latex.count(r"\right")


@pytest.mark.parametrize("form", NAMES)
def test_latex_outside_of_mathematics_has_no_bare_underscore(form: str) -> None:
    latex = printed(form, "latex")
    words = re.sub(r"\\begin\{align\*\}.*?\\end\{align\*\}|\$[^$]*\$", "", latex, flags=re.DOTALL)
    assert re.findall(r"(?<!\\)[_^&#]", words) == []


@pytest.mark.parametrize("form", FORMS)
def test_the_python_is_the_generated_function(form: str) -> None:
    scope: dict[str, object] = {}
    exec(printed(form, "python"), scope)
    function = scope[form.replace("-", "_")]
    assert callable(function)
    generator = np.random.default_rng(1)
    logits, coefficients = generator.normal(size=(3, 4)), generator.uniform(size=(3, 4))
    for got, expected in zip(function(logits, coefficients), FORMS_IN_NUMPY[form](logits, coefficients), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_the_python_has_the_steps_as_comments() -> None:
    comments = "\n".join(re.findall(r"^# ?(.*)$", printed("shifted", "python"), flags=re.MULTILINE))
    assert comments.split() == printed("shifted").split()


@pytest.mark.parametrize("form", NAMES)
def test_the_python_parses(form: str) -> None:
    assert isinstance(ast.parse(printed(form, "python")).body[-1], ast.FunctionDef)


def test_the_definition_is_the_default() -> None:
    assert derive() == printed("definition")


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match=r"form must be one of definition, textbook, .*, got 'fast'"):
        derive("fast")


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(ValueError, match="style must be one of text, latex, python, got 'html'"):
        derive("shifted", "html")


@pytest.mark.parametrize("style", STYLES)
def test_a_false_step_is_not_printed(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    form = FORMS["shifted"]
    monkeypatch.setitem(FORMS, "shifted", replace(form, gradient=-form.gradient))
    with pytest.raises(ProofError, match="is false"):
        derive("shifted", style)
