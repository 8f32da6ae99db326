"""The normal form: identities come out as 0, near misses do not."""

from __future__ import annotations

import pytest
from sympy import Expr, KroneckerDelta, Sum, exp, log
from sympy.codegen.cfunctions import log1p

from gradlab.symbolic.definition import K, a, i, j, k, over_classes, over_others, softmax, t, w, weigh, x, y
from gradlab.symbolic.entries import entries, is_zero_entry
from gradlab.symbolic.normal_form import is_zero

TOTAL = over_classes(exp(x[k]), k)
OTHERS = over_classes((1 - KroneckerDelta(k, a)) * exp(x[k]), k)
BEFORE, AFTER = over_others(t[k], k, j)

IDENTITIES: dict[str, tuple[Expr, Expr]] = {
    "a sum of sums": (over_classes(t[k] + w[k], k), over_classes(t[j], j) + over_classes(w[j], j)),
    "a constant comes out": (over_classes(t[i] * w[k], k), t[i] * over_classes(w[k], k)),
    "ones add up to K": (over_classes(KroneckerDelta(i, i), k), K),
    "a delta picks": (over_classes(KroneckerDelta(k, y) * t[k], k), t[y]),
    "a delta is its square": (over_classes(KroneckerDelta(k, y) ** 2 * t[k], k), t[y]),
    "two deltas meet": (
        over_classes(KroneckerDelta(k, i) * KroneckerDelta(k, j) * t[k], k),
        KroneckerDelta(i, j) * t[i],
    ),
    "a delta outside a sum": (KroneckerDelta(i, j) * t[i] * w[j], KroneckerDelta(i, j) * t[j] * w[i]),
    "three equal indices": (
        KroneckerDelta(i, j) * KroneckerDelta(j, k) * t[k],
        KroneckerDelta(i, k) * KroneckerDelta(i, j) * t[j],
    ),
    "probabilities sum to 1": (over_classes(softmax(j), j), K / K),
    "a class left out": (OTHERS, TOTAL - exp(x[a])),
    "before, at and after": (BEFORE + t[j] + AFTER, over_classes(t[k], k)),
    "a shift": (exp(x[j] - x[a]) / over_classes(exp(x[k] - x[a]), k), softmax(j)),
    "a logarithm of a quotient": (log(softmax(j)), x[j] - log(TOTAL)),
    "log1p": (log1p(over_classes((1 - KroneckerDelta(k, a)) * exp(x[k] - x[a]), k)), log(TOTAL) - x[a]),
    "a guard": (weigh(log(softmax(j))), t[j] * (x[j] - log(TOTAL))),
}

NEAR_MISSES: dict[str, tuple[Expr, Expr]] = {
    "a product of sums": (over_classes(t[k] * w[k], k), over_classes(t[k], k) * over_classes(w[k], k)),
    "ones add up to K - 1": (over_classes(KroneckerDelta(i, i), k), K - 1),
    "a delta picks another": (over_classes(KroneckerDelta(k, y) * t[k], k), t[i]),
    "a delta in part of the classes": (Sum(KroneckerDelta(k, y) * t[k], (k, 0, j - 1)), t[y]),
    "a delta under a logarithm": (over_classes(log(1 + KroneckerDelta(k, y)) * t[k], k), t[y]),
    "a delta that was forgotten": (KroneckerDelta(i, j) * t[i], t[i]),
    "the class itself forgotten": (BEFORE + AFTER, over_classes(t[k], k)),
    "a shift of the numerator only": (exp(x[j] - x[a]) / TOTAL, softmax(j)),
    "a logarithm of a sum": (log(TOTAL), over_classes(x[k], k)),
    "log1p of the whole sum": (log1p(over_classes(exp(x[k] - x[a]), k)), log(TOTAL) - x[a]),
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_an_identity_has_difference_zero(name: str) -> None:
    left, right = IDENTITIES[name]
    assert is_zero(left - right)


@pytest.mark.parametrize("name", IDENTITIES)
def test_an_identity_holds_entry_by_entry_too(name: str) -> None:
    left, right = IDENTITIES[name]
    assert all(is_zero_entry(entry) for entry, _ in entries((left - right).subs(k, i), 3))


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_a_near_miss_has_not(name: str) -> None:
    left, right = NEAR_MISSES[name]
    assert not is_zero(left - right)


def test_a_guard_of_a_term_that_does_not_vanish_is_refused() -> None:
    guarded = weigh(log(softmax(j)) / t[j])
    with pytest.raises(ValueError, match="only a guard of a term that vanishes can be dropped"):
        is_zero(guarded)
