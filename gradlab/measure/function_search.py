"""Arguments of float64 at which a NumPy function is least accurate, as far as a search finds them: nothing is proved.

Arguments are drawn at random, near the places where argument reductions change over, and around the worst so far. They
are compared with NumPy's long double functions, which are finer by 11 bits on x86; where long double is no more than
float64, little is found. What is found is measured by ball arithmetic.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np

from gradlab.oracle.elementary import Elementary, LargestError, largest_error
from gradlab.oracle.intervals import Array
from gradlab.problems.dtypes import format_of

CHILDREN = 2**15  # of a round, of each of the three kinds
KEPT = 2**10  # of the worst, which the next round starts from
MEASURED = 32  # of the worst at the end, by ball arithmetic
_FORMAT = format_of("float64")
_UNITS = {"exp": math.log(2), "expm1": math.log(2), "exp2": 1.0}  # what reduced arguments are taken modulo parts of


@dataclass(eq=False)
class Search:
    """A search that goes on as long as rounds are asked for; the same for the same seed."""

    function: Elementary
    seed: int = 0
    n_arguments: int = 0
    kept: Array = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)

    def round(self) -> None:
        """Draws arguments of each kind; the worst of them and of those before are kept."""
        drawn = [self.function.sample(_FORMAT, self._rng.random(CHILDREN)), self._at_edges(), self._near_the_worst()]
        arguments = np.unique(np.concatenate([self.kept, *drawn]))
        errors = rough_errors(self.function, arguments)
        self.n_arguments += sum(map(len, drawn))
        self.kept = arguments[np.argsort(errors)[-KEPT:]]

    def worst(self) -> LargestError:
        """The largest error found, by ball arithmetic."""
        return largest_error(self.function, "float64", self.kept[-MEASURED:])

    def _at_edges(self) -> Array:
        """Around multiples of 2^-k of what reduces an argument: log(2), 1, or the argument's power of two."""
        parts = 2.0 ** self._rng.integers(0, 9, CHILDREN)
        if self.function.name in _UNITS:
            start = self.function.sample(_FORMAT, self._rng.random(CHILDREN))
            unit = _UNITS[self.function.name]
            return self._moved(np.rint(start / unit * parts) / parts * unit)
        fraction = np.rint(self._rng.random(CHILDREN) * parts) / parts
        edges = self._moved((1 + fraction) * 2.0 ** np.rint(self._rng.normal(0, 4, CHILDREN)))
        below = (self.function.name == "log1p") & (self._rng.random(CHILDREN) < 0.5)
        return np.where(below, edges - 1, edges)

    def _near_the_worst(self) -> Array:
        """The worst so far, moved a little; a quarter of them to another place with the same reduced argument."""
        if not len(self.kept):
            return self.kept
        values, n = self._rng.choice(self.kept, CHILDREN), CHILDREN // 4
        steps = np.rint(self._rng.normal(0, 8, n))
        unit = _UNITS.get(self.function.name)
        with np.errstate(over="ignore", under="ignore"):
            values[:n] = values[:n] * 2.0**steps if unit is None else values[:n] + steps * unit
        return self._moved(values)

    def _moved(self, values: Array) -> Array:
        """The values moved by up to 2^40 places, half of them by few."""
        places = 2.0 ** (self._rng.random(len(values)) * self._rng.choice([4, 40], len(values)))
        signs = self._rng.choice([-1.0, 1.0], len(values))
        return np.asarray(values + signs * np.rint(places) * np.spacing(np.abs(values)))


def search(function: Elementary, seconds: float, seed: int = 0) -> Search:
    """The search after this many seconds, and at least one round."""
    found, start = Search(function, seed), time.monotonic()
    found.round()
    while time.monotonic() - start < seconds:
        found.round()
    return found


def rough_errors(function: Elementary, arguments: Array) -> Array:
    """The errors in ULP against long double; 0 where there is no finite value."""
    with np.errstate(all="ignore"):
        got, truth = function.numpy(arguments), function.numpy(arguments.astype(np.longdouble))
        ulp = np.spacing(np.maximum(np.abs(truth.astype(np.float64)), _FORMAT.smallest_normal))
        errors = (np.abs(got - truth) / ulp).astype(np.float64)
    return np.asarray(np.where(np.isfinite(errors), errors, 0.0))
