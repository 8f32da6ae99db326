"""Formulas as MathML: well formed, every letter in an element, nothing of the plain text left."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from sympy import Expr

from gradlab.symbolic.definition import L, d, e, i, j, k, over_classes, p, row_loss, t, x
from gradlab.symbolic.document import Line, document
from gradlab.symbolic.forms import FORMS
from gradlab.symbolic.mathml import as_mathml, mathml_of
from gradlab.symbolic.prose import as_text

LEAVES = ("mi", "mn", "mo", "mtext")


def lines() -> list[Line]:
    return [line for name in FORMS for section in document(name).sections for line in section.lines]


def text_of(markup: str) -> str:
    return "".join(ElementTree.fromstring(markup).itertext())


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        (x[j] - x[i], "xj\u2212xi"),
        (d[j] * e[k], "dj\u2062ek"),
        (over_classes(e[k], k), "∑kek"),
        (p[j] / 2, "pj2"),
    ],
    ids=str,
)
def test_a_formula_reads_as_it_is_written(expression: Expr, shown: str) -> None:
    assert text_of(mathml_of(expression)) == shown


def test_a_quotient_is_a_fraction_and_an_index_a_subscript() -> None:
    assert mathml_of(t[j] / 2) == (
        "<mrow><mfrac><mrow><msub><mi>t</mi><mrow><mi>j</mi></mrow></msub></mrow><mrow><mn>2</mn></mrow></mfrac></mrow>"
    )


def test_every_line_of_every_form_is_well_formed_and_in_elements() -> None:
    for line in lines():
        root = ElementTree.fromstring(as_mathml(line.left, line.right))
        stray = [part.tag for part in root.iter() if part.tag not in LEAVES and (part.text or "").strip()]
        assert stray + [part.tag for part in root.iter() if (part.tail or "").strip()] == []


def test_structures_have_as_many_children_as_they_must() -> None:
    needs = {"mfrac": 2, "msub": 2, "munder": 2}
    for line in lines():
        root = ElementTree.fromstring(as_mathml(line.left, line.right))
        assert [part.tag for part in root.iter() if len(part) != needs.get(part.tag, len(part))] == []


def test_the_letters_and_numbers_are_those_of_the_text() -> None:
    line = Line(L, row_loss())
    words = sorted(
        set("".join(c if c.isalnum() else " " for c in f"{as_text(line.left)} {as_text(line.right)}").split())
    )
    found = sorted(
        {str(part.text) for part in ElementTree.fromstring(as_mathml(line.left, line.right)).iter() if part.tag == "mi"}
    )
    assert found == sorted({word for word in words if word != "sum"})
