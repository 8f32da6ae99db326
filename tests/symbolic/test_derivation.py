"""The derivation and the options: every step is proved both ways, every false variant is refused."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from sympy import Derivative, Expr, Integer, KroneckerDelta, log

from gradlab.problems.options import REAL_OPTIONS
from gradlab.symbolic.definition import A, K, M, c, epsilon, i, j, m, over_classes, p, softmax, u, w, x, y
from gradlab.symbolic.derivation import (
    SOFTMAX,
    WRITTEN_OUT,
    Step,
    derivation,
    gradient,
    hessian,
    option_proof,
    prove,
    reduction_proof,
    term_along_logits,
    term_proof,
    term_slope,
)
from gradlab.symbolic.options import (
    LABEL_OPTIONS,
    LOGIT_MAPS,
    OPTIONS,
    REDUCTIONS,
    ROW_TERMS,
    SHARES,
    RowTerm,
    coefficient,
)
from gradlab.symbolic.proofs import SYMBOLIC, ProofError, equal, equal_entry_by_entry

STEPS = [step for chain in derivation() for step in chain.steps]
NAMES = [step.name for step in STEPS]
PROBABILITY_OPTIONS = tuple(name for name in OPTIONS if name not in LABEL_OPTIONS)
COMBINATIONS = [
    (target, chosen)
    for target, names in {"index": tuple(OPTIONS), "probability": PROBABILITY_OPTIONS}.items()
    for size in range(len(names) + 1)
    for chosen in combinations(names, size)
]


@pytest.mark.parametrize("step", STEPS, ids=NAMES)
def test_every_step_is_proved_for_symbolic_k(step: Step) -> None:
    assert prove(step, SOFTMAX).method == SYMBOLIC


@pytest.mark.parametrize("step", STEPS, ids=NAMES)
def test_every_step_is_proved_entry_by_entry(step: Step) -> None:
    assert equal_entry_by_entry(step.before, step.after, SOFTMAX)


def test_every_step_begins_where_the_last_one_ended() -> None:
    pairs = [pair for chain in derivation() for pair in pairwise(chain.steps)]
    assert [earlier.after for earlier, _ in pairs] == [later.before for _, later in pairs]


FALSE_HESSIANS = {
    "the diagonal 2 p (1 - p)": hessian() * (1 + KroneckerDelta(i, j)),
    "the diagonal only": A * p[i] * (1 - p[i]) * KroneckerDelta(i, j),
    "the sign turned": -hessian(),
    "the coefficients forgotten": hessian() / A,
    "the delta forgotten": -A * p[i] * p[j],
    "no product": A * (p[i] * KroneckerDelta(i, j) - p[i]),
}


@pytest.mark.parametrize("name", FALSE_HESSIANS)
def test_a_false_hessian_is_refused(name: str) -> None:
    with pytest.raises(ProofError, match="is false"):
        equal(Derivative(gradient(i), x[j]), FALSE_HESSIANS[name], SOFTMAX)


@pytest.mark.parametrize(("target", "chosen"), COMBINATIONS)
def test_the_closed_form_holds_for_every_choice_of_options(target: str, chosen: tuple[str, ...]) -> None:
    assert option_proof(target, chosen).method == SYMBOLIC


def test_the_closed_form_holds_with_all_options_entry_by_entry() -> None:
    own = coefficient("index", ("label_smoothing", "class_weights"))
    loss = -over_classes(own * log(softmax(j)), j)
    assert equal_entry_by_entry(Derivative(loss, x[i]), over_classes(own, j) * softmax(i) - own.subs(j, i))


SMOOTHED = coefficient("index", ("label_smoothing",))
WEIGHTED = coefficient("index", ("label_smoothing", "class_weights"))
FALSE_COEFFICIENTS: dict[str, tuple[Expr, Expr]] = {
    "epsilon / (K - 1) on every class": (SMOOTHED, (1 - epsilon) * KroneckerDelta(j, y) + epsilon / (K - 1)),
    "epsilon / (K - 1) on the others": (
        SMOOTHED,
        (1 - epsilon) * KroneckerDelta(j, y) + (1 - KroneckerDelta(j, y)) * epsilon / (K - 1),
    ),
    "smoothing left out of the gradient": (SMOOTHED, KroneckerDelta(j, y)),
    "the label's weight on every class": (WEIGHTED, w[y] * SMOOTHED),
}


@pytest.mark.parametrize("name", FALSE_COEFFICIENTS)
def test_the_gradient_of_other_coefficients_is_refused(name: str) -> None:
    own, other = FALSE_COEFFICIENTS[name]
    loss = -over_classes(own * log(softmax(j)), j)
    claimed = over_classes(other, j) * softmax(i) - other.subs(j, i)
    with pytest.raises(ProofError, match="is false"):
        equal(Derivative(loss, x[i]), claimed)


def test_smoothed_targets_sum_to_1() -> None:
    assert equal(over_classes(SMOOTHED, j), Integer(1)).method == SYMBOLIC


def test_with_index_targets_the_weights_sum_to_those_of_the_label_before_smoothing() -> None:
    own = coefficient("index", ("class_weights",))
    assert equal(over_classes(own, j), w[y]).method == SYMBOLIC


def test_an_ignored_row_has_coefficients_0() -> None:
    assert coefficient("index", tuple(OPTIONS)).subs(y, c) == 0


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_every_reduction_multiplies_the_gradient_by_its_share(reduction: str) -> None:
    assert reduction_proof(reduction).method == SYMBOLIC


@pytest.mark.parametrize(("reduction", "share"), [("mean", SHARES["sum"]), ("sum", SHARES["mean"])])
def test_another_reduction_s_share_is_refused(reduction: str, share: Expr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHARES, reduction, share)
    with pytest.raises(ProofError):
        reduction_proof(reduction)


@pytest.mark.parametrize("name", ROW_TERMS)
def test_the_derivative_of_a_term_is_proved_for_symbolic_k(name: str) -> None:
    assert term_proof(ROW_TERMS[name]).method == SYMBOLIC


@pytest.mark.parametrize("value", [M**3, m**2, (A - m) * M, M * m], ids=str)
def test_any_function_of_the_three_letters_has_the_derivative_that_the_chain_rule_gives(value: Expr) -> None:
    assert term_proof(RowTerm(epsilon, epsilon * value, ""))


def test_a_term_whose_derivative_leaves_something_out_is_refused() -> None:
    term = ROW_TERMS["z_loss"]
    with pytest.raises(ProofError, match="is false"):
        equal(Derivative(term_along_logits(term), x[i]), term_slope(term) / 2, WRITTEN_OUT)


@pytest.mark.parametrize("name", [*LOGIT_MAPS, *ROW_TERMS])
def test_what_is_said_of_shift_invariance_is_what_the_definition_says(name: str) -> None:
    """A map keeps it where its slope is the same everywhere, a term where it does not depend on lse."""
    kept = not (LOGIT_MAPS[name].slope.has(u) if name in LOGIT_MAPS else ROW_TERMS[name].value.has(M))
    assert REAL_OPTIONS[name].shift_invariant == kept
