"""The forms: every step and every program is proved, every program with a defect is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sympy import Derivative, Expr, KroneckerDelta, exp, log
from sympy.codegen.cfunctions import log1p

from gradlab.symbolic.definition import (
    A,
    Binding,
    R,
    S,
    U,
    V,
    Z,
    d,
    e,
    h,
    i,
    j,
    k,
    l,
    over_classes,
    p,
    row_loss,
    t,
    weigh,
    x,
)
from gradlab.symbolic.derivation import SOFTMAX, gradient
from gradlab.symbolic.form import Form, form_proofs, step_proofs
from gradlab.symbolic.forms import FORMS, HESSIAN, HESSIAN_BINDINGS, hessian_proof
from gradlab.symbolic.proofs import SYMBOLIC, ProofError, equal, equal_entry_by_entry, inline
from tests.runs import every

STEPS = [(form, step) for form in FORMS.values() for chain in form.chains for step in chain.steps]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_step_is_proved_for_symbolic_k(form: Form) -> None:
    assert {proof.method for proof in step_proofs(form)} == {SYMBOLIC}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_program_is_proved_from_end_to_end(form: Form) -> None:
    assert [proof.method for proof in form_proofs(form)] == [SYMBOLIC, SYMBOLIC]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_chain_of_the_loss_ends_in_the_program(form: Form) -> None:
    (loss,) = [chain for chain in form.chains if chain.title == "The loss of one row"]
    assert equal(loss.steps[-1].after, form.loss, form.bindings).method == SYMBOLIC


def test_the_hessian_s_program_is_proved() -> None:
    assert hessian_proof().method == SYMBOLIC


def with_binding(name: str, letter: Expr, value: Expr) -> Form:
    """A form with one of its bindings replaced."""
    bindings = [Binding(letter, value) if old.letter == letter else old for old in FORMS[name].bindings]
    assert tuple(bindings) != FORMS[name].bindings
    return replace(FORMS[name], bindings=tuple(bindings))


DEFECTS = {
    "textbook: the denominator without one class": with_binding(
        "textbook", S, over_classes((1 - KroneckerDelta(k, i)) * e[k], k)
    ),
    "textbook: no division": with_binding("textbook", p[j], e[j]),
    "textbook: the sign of the loss": replace(FORMS["textbook"], loss=-FORMS["textbook"].loss),
    "textbook: p - t where A is meant": with_binding("textbook", A, A / A),
    "shifted: the loss of the unshifted logits": with_binding("shifted", h[j], weigh(Z - x[j])),
    "shifted: the shift in the numerator only": with_binding("shifted", S, over_classes(exp(x[k]), k)),
    "shifted: the sign of the gradient": replace(FORMS["shifted"], gradient=t[j] - A * p[j]),
    "shifted: the target forgotten": replace(FORMS["shifted"], gradient=A * p[j]),
    "log-space: the logarithm of the sum left out": with_binding("log-space", l[j], d[j]),
    "log-space: base 2": with_binding("log-space", Z, log(S) / log(2)),
    "complement: the largest class counted twice": with_binding("complement", R, over_classes(e[k], k)),
    "complement: log1p of 1 + R": with_binding("complement", Z, log1p(S)),
    "complement: p_j among its others": with_binding("complement", U[j], over_classes(p[k], k)),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_program_with_a_defect_is_refused(name: str) -> None:
    with pytest.raises(ProofError, match="is false"):
        form_proofs(DEFECTS[name])


@pytest.mark.parametrize("form", every(3, FORMS.values(), FORMS))
def test_every_program_is_proved_entry_by_entry_too(form: Form) -> None:
    slope = Derivative(row_loss(), x[i])
    assert equal_entry_by_entry(row_loss(), form.loss, form.bindings)
    assert equal_entry_by_entry(slope, form.gradient.subs(j, i), form.bindings)


def test_a_step_with_a_defect_is_refused() -> None:
    form = FORMS["shifted"]
    chain_ = form.chains[0]
    wrong = replace(chain_.steps[1], after=2 * chain_.steps[1].after)
    with pytest.raises(ProofError, match="is false"):
        step_proofs(replace(form, chains=(replace(chain_, steps=(chain_.steps[0], wrong)),)))


def test_the_diagonal_2_p_1_minus_p_is_refused() -> None:
    covariance = p[i] * (KroneckerDelta(i, j) - p[j])
    doubled = [*HESSIAN_BINDINGS[:-1], Binding(V[i, j], covariance * (1 + KroneckerDelta(i, j)))]
    slope = Derivative(inline(gradient(i), SOFTMAX), x[j])
    with pytest.raises(ProofError, match="is false"):
        equal(slope, HESSIAN, doubled)
