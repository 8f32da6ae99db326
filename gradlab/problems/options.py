"""What has to be said of each option of the objective besides its mathematics: ranges, values to try, words."""

from __future__ import annotations

import math
from dataclasses import dataclass

REDUCTIONS = ("none", "mean", "sum")
TARGETS = ("index", "probability")

# What a mean divides by, each in words; the default first.
MEANS = {
    "sum_of_weights": "the sum over the rows that count of sample weight times the label's class weight; with "
    "probabilities of the sample weight alone",
    "number_of_rows": "the number of rows that count, whatever they weigh",
    "all_rows": "the number of all rows, ignored ones too",
}


@dataclass(frozen=True)
class RealOption:
    """What has to be said of an option that is one real number, besides its mathematics in `symbolic/options.py`.

    neutral: the value at which it is off. above: what every value is greater than, or, where `closed`, not less than;
    it is finite where it is on. tried: values that problems switch on, the simplest first; drawn: between which two
    others are drawn. shift_invariant: whether a constant added to every logit still changes nothing, so that each row
    of the gradient sums to 0. meaning: in words.
    """

    neutral: float
    above: float
    closed: bool
    tried: tuple[float, ...]
    drawn: tuple[float, float]
    shift_invariant: bool
    meaning: str

    def refusal(self, value: float) -> str | None:
        """Which range a value is out of, or None."""
        if value == self.neutral or (self.above < value < math.inf) or (self.closed and value == self.above):
            return None
        return f"must be finite and {'at least' if self.closed else 'above'} {self.above:g}"


# fmt: off
REAL_OPTIONS = {
    "softcap": RealOption(
        math.inf, 0.0, False, (2.0, 30.0, 0.7), (0.5, 100.0), False,
        "each logit x becomes c tanh(x/c), c being the softcap, before the softmax",
    ),
    "temperature": RealOption(
        1.0, 0.0, False, (2.0, 0.5, 0.7), (0.05, 20.0), True,
        "each logit is divided by the temperature before the softmax, after any softcap",
    ),
    "z_loss": RealOption(
        0.0, 0.0, True, (0.25, 1e-4, 2.0), (0.0, 4.0), False,
        "to each row's loss is added z_loss times the square of its log-sum-exp",
    ),
    "poly_epsilon": RealOption(
        0.0, -1.0, True, (2.0, 0.1, -1.0), (-1.0, 6.0), True,
        "to each row's loss is added poly_epsilon times the sum of t_j (1 - p_j)",
    ),
}
# fmt: on


@dataclass(frozen=True)
class PerRowOption:
    """What has to be said of an option that is one number for each row, besides its mathematics.

    least: what no number is below; all are finite. reductions: those with which it goes. tried: what the rows of
    problems get, in turn; drawn: between which two numbers others are drawn. meaning: in words.
    """

    least: float
    reductions: tuple[str, ...]
    tried: tuple[float, ...]
    drawn: tuple[float, float]
    meaning: str


PER_ROW_OPTIONS = {
    "sample_weights": PerRowOption(
        0.0,
        REDUCTIONS,
        (0.5, 2.0, 0.0, 3.0),
        (2.0**-6, 8.0),
        "each row's loss, its terms too, and its gradient are multiplied by the row's sample weight",
    ),
    "upstream": PerRowOption(
        -math.inf,
        ("none",),
        (2.0, -1.0, 0.5, 0.0),
        (-8.0, 8.0),
        "each row's gradient is multiplied by the row's number, and its loss is not",
    ),
}
