"""Relations that hold where exp(x - max x) is approximated by a function that has a formula."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from gradlab.localisation.relations.relation import Relation, denominator, reduced, shares
from gradlab.localisation.trial import Outcome
from gradlab.localisation.varying import labels_of
from gradlab.problems.problem import Array

DEGREES = range(1, 17)
DEPTHS = (5, 8, 10, 12, 15, 16, 18, 20, 24, 25, 30, 32, 40, 50, 60, 64, 80, 87, 88, 100)  # below which exp is left out
POWERS = tuple(2**i for i in range(1, 17))
Function = Callable[[Array], Array]


def gradients_of_exponentials() -> Iterator[Relation]:
    """Gradients p - t with another function for exp."""
    for words, function in FORMULAS.items():
        yield Relation(f"is that of {words}, d = x - max x", partial(_gradient, function=function))


def losses_of_exponentials() -> Iterator[Relation]:
    """Losses log sum E - d_y, and -log p_y, with another function E for exp."""
    for words, function in FORMULAS.items():
        said = f"{words}, d = x - max x"
        yield Relation(f"is log of the sum, less d_y, of {said}", partial(_loss, function=function))
        yield Relation(f"is -log p_y of {said}", partial(_log_p, function=function))


def taylor(d: Array, degree: int) -> Array:
    """The Taylor polynomial of exp about 0, by Horner's rule."""
    found = np.ones_like(d)
    for n in range(degree, 0, -1):
        found = 1 + d / n * found
    return found


def _at_degree(d: Array, function: Callable[[Array, int], Array], degree: int) -> Array:
    return function(d, degree)


def _reciprocal(d: Array, degree: int) -> Array:
    return np.asarray(1 / taylor(-d, degree))


def _quotient(d: Array, degree: int) -> Array:
    return np.asarray(taylor(d / 2, degree) / taylor(-d / 2, degree))


def _not_negative(d: Array, degree: int) -> Array:
    return np.maximum(taylor(d, degree), 0.0)


def _power(d: Array, n: int) -> Array:
    return np.asarray((1 + d / n) ** n)


def _power_of_positive(d: Array, n: int) -> Array:
    return np.asarray(np.maximum(1 + d / n, 0.0) ** n)


def _cut(d: Array, n: int) -> Array:
    return np.where(d < -n, 0.0, np.exp(d))


def _chord(d: Array) -> Array:
    """2^z on lines between the powers of two."""
    z = d / math.log(2)
    whole = np.floor(z)
    return np.asarray(np.exp2(whole) * (1 + z - whole))


_BY_DEGREE: dict[str, Callable[[Array, int], Array]] = {
    "the Taylor polynomial of degree {} for exp(d)": taylor,
    "the Taylor polynomial of degree {}, at least 0, for exp(d)": _not_negative,
    "1 over the Taylor polynomial of degree {} of exp(-d)": _reciprocal,
    "T(d/2)/T(-d/2), T the Taylor polynomial of degree {}, for exp(d)": _quotient,
}

FORMULAS: dict[str, Function] = {
    **{
        words.format(n): partial(_at_degree, function=function, degree=n)
        for words, function in _BY_DEGREE.items()
        for n in DEGREES
    },
    **{f"(1 + d/{n})^{n} for exp(d)": partial(_power, n=n) for n in POWERS},
    **{f"max(1 + d/{n}, 0)^{n} for exp(d)": partial(_power_of_positive, n=n) for n in POWERS},
    "lines between the powers of two for exp(d)": _chord,
    **{f"0 for exp(d) where d < -{n}": partial(_cut, n=n) for n in DEPTHS},
    "2^d for exp(d)": np.exp2,
    "1/(1 - d) for exp(d)": lambda d: 1 / (1 - d),
    "exp(-d) for exp(d)": lambda d: np.exp(-d),
    "exp(-d^2) for exp(d)": lambda d: np.exp(-(d**2)),
}


def _distances(one: Outcome) -> Array:
    x = one.problem.mapped64
    with np.errstate(all="ignore"):
        return np.asarray(x - x.max(axis=1, keepdims=True))


def _at_labels(one: Outcome, values: Array) -> Array:
    labels = np.clip(labels_of(one.problem), 0, one.problem.n_classes - 1)
    return np.asarray(values[np.arange(len(labels)), labels])


def _gradient(one: Outcome, function: Function) -> Array:
    with np.errstate(all="ignore"):
        e = function(_distances(one))
        return np.asarray(e / (e.sum(axis=1, keepdims=True) * denominator(one)) - shares(one, labels_of(one.problem)))


def _loss(one: Outcome, function: Function) -> Array:
    d = _distances(one)
    with np.errstate(all="ignore"):
        return reduced(one, np.log(function(d).sum(axis=1)) - _at_labels(one, d))


def _log_p(one: Outcome, function: Function) -> Array:
    with np.errstate(all="ignore"):
        e = function(_distances(one))
        return reduced(one, -np.log(_at_labels(one, e) / e.sum(axis=1)))
