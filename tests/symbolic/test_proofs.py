"""Proofs: what is true has one, what is false raises with a counterexample, and both methods agree."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sympy import Derivative, Expr, Integer, exp, log

from gradlab.symbolic import proofs
from gradlab.symbolic.definition import Binding, S, a, argmax, e, i, j, k, over_classes, p, row_loss, softmax, t, x
from gradlab.symbolic.proofs import ENTRY_BY_ENTRY, SYMBOLIC, Proof, ProofError, equal, equal_entry_by_entry, inline

LETTERS = (Binding(e[j], exp(x[j])), Binding(S, over_classes(e[k], k)), Binding(p[j], e[j] / S))
CLOSED = over_classes(t[k], k) * softmax(i) - t[i]


def test_a_true_statement_is_proved_for_symbolic_k() -> None:
    assert equal(Derivative(row_loss(), x[i]), CLOSED).method == SYMBOLIC


def test_a_true_statement_is_proved_entry_by_entry() -> None:
    assert equal_entry_by_entry(Derivative(row_loss(), x[i]), CLOSED).method == ENTRY_BY_ENTRY


def test_what_the_rules_do_not_reach_is_proved_entry_by_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "is_zero", lambda _: False)
    assert equal(Derivative(row_loss(), x[i]), CLOSED).method == ENTRY_BY_ENTRY


FALSE_GRADIENTS = {
    "the sign turned": -CLOSED,
    "the target forgotten": over_classes(t[k], k) * softmax(i),
    "p - t where the coefficients do not sum to 1": softmax(i) - t[i],
    "the coefficient inside": over_classes(t[k], k) * softmax(i) - t[i] * softmax(i),
    "one class too many": CLOSED + Integer(1),
}


@pytest.mark.parametrize("name", FALSE_GRADIENTS)
@pytest.mark.parametrize("method", [equal, equal_entry_by_entry])
def test_a_false_gradient_raises_with_a_counterexample(name: str, method: Callable[[Expr, Expr], Proof]) -> None:
    with pytest.raises(ProofError, match=r"is false: the difference is -?[0-9.]+ at K = "):
        method(Derivative(row_loss(), x[i]), FALSE_GRADIENTS[name])


def test_what_is_true_at_the_sizes_tried_for_a_counterexample_only_is_not_proved() -> None:
    ones = over_classes(Integer(1), k)
    with pytest.raises(ProofError, match="was not shown at K = 4"):
        equal((ones - 1) * (ones - 2) * (ones - 3) * t[i], Integer(0))


def test_letters_are_replaced_by_what_they_stand_for() -> None:
    assert equal(p[j], softmax(j), LETTERS).statement == "p_j = exp(x_j) / sum_k exp(x_k)"


def test_without_its_bindings_a_letter_is_not_what_it_stands_for() -> None:
    with pytest.raises(ProofError):
        equal(p[j], softmax(j))


def test_a_bound_index_catches_no_index_from_outside() -> None:
    value = inline(p[k], LETTERS)
    assert k in value.free_symbols


def test_the_class_of_the_largest_logit_stays_a_letter() -> None:
    assert inline(x[a], [Binding(a, argmax(x))]) == x[a]


def test_a_logarithm_of_a_sum_is_no_sum_of_logarithms() -> None:
    with pytest.raises(ProofError, match="is false"):
        equal(log(over_classes(exp(x[k]), k)), over_classes(x[k], k))
