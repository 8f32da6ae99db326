"""Functions in the place of exp and log, measured: what comes out where x - max x, or the sum, has a value.

A row's probabilities over that of its largest logit are E(x - max x), where a function E is used for exp. It is
measured in one row and foretold in another: what depends on anything else is not taken for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gradlab.localisation.relations.relation import hot
from gradlab.localisation.trial import Laboratory, Trial
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem

N_MEASURED = {True: 900, False: 200}  # values of x - max x in each of three ranges, in float64 and below
N_DEEP = 40  # of them where exp is about to be 0, and where it is
DEEPEST = 40.0  # the smallest of them is minus this
MIN_DEPTH = 5.0  # down to minus this at least a period has to hold
FURTHEST = 1e5  # the smallest x - max x of all; what is less is taken for it
MAX_DEPTH = 740.0  # down to minus this at most
MAX_OFF = 0.3  # of the largest excess, that another one is off where the function goes on as before
NOTHING = -1e4  # log E less what it should be, where E is 0
TINY = 1e-9  # how far a function is off that is not told from a line between two places
PERIODS = (*(math.log(2) / 2**i for i in range(11)), *(2.0**-i for i in range(11)), 0.1, 0.01, 0.001, 0.05, 0.02)
ROOM = 4.0  # times the bounds of two gradients, that two measurements differ by
RIGHT = 0.98  # of what is measured twice, that has to agree
RIGHT_IF_OFF = 0.9  # the same, of what is not exp
MATCHED = 0.85  # of the entries of a gradient, that are foretold: not those beside a jump


@dataclass(frozen=True, eq=False)
class Measured:
    """A function, by how much log E exceeds what it should, at the places measured, which rise.

    errors: how far each is off from a line between its neighbours. period: after which all is the same again, down to
    -deepest; 0 where nothing is. scale: E(0).
    """

    places: Array
    more: Array
    errors: Array
    period: float = 0.0
    deepest: float = 0.0
    scale: float = 1.0

    def __call__(self, d: Array) -> Array:
        """The excess at other places: as measured there, or on a line between the next."""
        near = self._along(d, np.maximum(self.more, NOTHING))
        return np.asarray(np.where(near <= NOTHING / 2, -np.inf, near))

    def off_by(self, d: Array) -> Array:
        """By how much the excess may be off there."""
        beside = np.maximum(self.errors, np.maximum(np.roll(self.errors, 1), np.roll(self.errors, -1)))
        return 3 * self._along(d, beside)

    def _along(self, d: Array, values: Array) -> Array:
        near = np.interp(d, self.places, values)
        if not self.period:
            return np.asarray(near)
        few = self.places >= -self.deepest
        folded = np.interp(d, self.places[few], values[few], period=self.period)
        return np.asarray(np.where((d >= -self.deepest) & ~np.isin(d, self.places), folded, near))

    @property
    def largest(self) -> tuple[float, float]:
        """How far it is off at most, as a share of what it should be, and where."""
        off = np.abs(np.expm1(self.more))
        where = off.argmax() if not off[self.seen].any() else np.flatnonzero(self.seen)[off[self.seen].argmax()]
        return float(off[where]), float(self.places[where])

    @property
    def seen(self) -> Array:
        """The places at which exp is not as good as 0."""
        return np.asarray(self.places >= -DEEPEST)


def exponential_of(laboratory: Laboratory, like: Problem) -> Measured | None:
    """What is used for exp, where that is a function of x - max x alone, and another one."""
    rng = np.random.default_rng(1)
    step = 2.0 ** -min(10, like.format.precision - 7)
    shared = np.unique(np.concatenate([np.arange(0, DEEPEST, 0.5), step * rng.integers(0, round(DEEPEST / step), 150)]))
    n = N_MEASURED[like.format.precision > 24]
    lost = -math.log(like.format.smallest_subnormal)
    other = np.concatenate(
        [
            rng.uniform(0, MIN_DEPTH, n),
            rng.uniform(0, DEEPEST, n),
            np.exp(rng.uniform(-14, math.log(MIN_DEPTH), n)),  # near to 0
            np.linspace(min(DEEPEST, 0.9 * lost), 1.1 * lost, N_DEEP),
            np.geomspace(1.2 * lost, min(like.format.largest / 4, FURTHEST), N_DEEP),
        ]
    )
    again = np.concatenate([shared, np.repeat(shared[5:7], 40), [0.0, 0.0]])
    first = _read(laboratory, like, -rng.permutation(np.concatenate([shared, other])), 0.0)
    second = _read(laboratory, like, -rng.permutation(again), 3.0)
    if first is None or second is None or not second.agrees(first) or not first.is_off:
        return None
    known = np.isfinite(first.room)
    found = _measured(first.at[known], first.more[known], first.scale)
    return replace(found, errors=np.maximum(found.errors, first.room[known]))


def _measured(d: Array, more: Array, scale: float) -> Measured:
    """The function, folded by the period by which it is foretold best, where there is one."""
    plain = Measured(d, more, line_errors(d, more), scale=scale)
    least = _typical(plain.errors[plain.seen])
    found = plain
    for period in PERIODS if least > TINY else ():
        deepest = _deepest(d, more, period)
        few = d >= -deepest
        phases = d[few] % period
        order = np.argsort(phases)
        errors = plain.errors.copy()
        errors[np.flatnonzero(few)[order]] = line_errors(phases[order], more[few][order])
        folded = _typical(errors[few & plain.seen])
        if deepest > MIN_DEPTH and folded < least / 2:
            found, least = Measured(d, more, errors, period, deepest, scale), folded
    return found


def _deepest(d: Array, more: Array, period: float) -> float:
    """Down to minus which the excess is what it is near to 0 at the same phase."""
    used = d >= -MIN_DEPTH
    off = np.abs(np.interp(d, d[used], np.maximum(more[used], NOTHING), period=period) - more)
    wrong = -d[(off > MAX_OFF * np.abs(more[used]).max(initial=0.0)) & (d < -MIN_DEPTH)]
    often = wrong[1:][np.diff(wrong[::-1])[::-1] < 1] if wrong.size > 1 else wrong  # not a single one beside a jump
    return min(float(often.min(initial=math.inf)) * (1 - 1e-3), MAX_DEPTH)


def line_errors(places: Array, more: Array) -> Array:
    """How far each number is off from a line between its neighbours."""
    if len(places) < 3:
        return np.zeros(len(places))
    values = np.maximum(more, NOTHING)
    with np.errstate(all="ignore"):
        share = np.nan_to_num((places[1:-1] - places[:-2]) / (places[2:] - places[:-2]), nan=0.5)
    off = np.abs(values[1:-1] - values[:-2] - share * (values[2:] - values[:-2]))
    return np.concatenate([off[:1], off, off[-1:]])


def _typical(errors: Array) -> float:
    return float(np.quantile(errors, 0.8)) if errors.size else 0.0


@dataclass(frozen=True, eq=False)
class Reading:
    """What a row gave: the x - max x there are, log E less what it should be, its room, and E(0)."""

    at: Array
    more: Array
    room: Array
    scale: float

    @property
    def is_off(self) -> bool:
        """Whether it is not exp, or not just near to it."""
        with np.errstate(invalid="ignore"):
            return bool((np.abs(self.more) > self.room).any())

    def agrees(self, other: Reading) -> bool:
        """Whether the other gave the same where both have been."""
        places = np.searchsorted(other.at, self.at)
        room = self.room + other.room[places]
        known = np.isfinite(room)
        with np.errstate(invalid="ignore"):
            same = (np.abs(other.more[places] - self.more) <= room) | (other.more[places] == self.more)
        off = known & ((self.more != 0) | (other.more[places] != 0))
        return bool(known.any() and same[known].mean() >= RIGHT and (not off.any() or same[off].mean() >= RIGHT_IF_OFF))


def _read(laboratory: Laboratory, like: Problem, distances: Array, shift: float) -> Reading | None:
    """What a row with these x - max x gives."""
    x = (distances + shift)[None].astype(like.logits.dtype)
    label = int(np.argsort(distances)[len(distances) // 2])
    problem = Problem(x, np.array([label]), Objective(reduction=like.objective.reduction))
    one = laboratory.ask(Trial(problem))
    if one is None or one.raised:
        return None
    p, bound = (one.seen.gradient + hot(one, problem.targets))[0], one.seen.gradient_bound[0]
    d = problem.logits64[0] - problem.logits64[0].max()
    with np.errstate(all="ignore"):
        top = p[d == 0].mean()
        room = ROOM * (bound / np.abs(p) + bound[d == 0].max() / top)
        more = np.where(p > 0, np.log(p / top) - d, -np.inf)
        scale = np.exp(float(one.seen.loss.ravel()[0]) + d[label]) * top
        vanishes = (p == 0) & (np.exp(d) < len(d) * like.format.smallest_normal)
    more, room = np.where(vanishes, 0.0, more), np.where(p > 0, room, TINY)
    with np.errstate(invalid="ignore"):
        more = np.where(np.abs(more) <= room, 0.0, more)
    room[label] = np.nan  # 1 was subtracted there
    at, first = np.unique(d, return_index=True)
    return Reading(
        at, more[first], room[first], 1.0 if abs(scale - 1) < ROOM * len(d) * like.format.unit_roundoff else scale
    )
