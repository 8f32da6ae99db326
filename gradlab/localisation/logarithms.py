"""A function in the place of log, measured: by how much the loss exceeds what it should where the sum has a value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from gradlab.localisation.functions import MATCHED, ROOM, Measured, line_errors
from gradlab.localisation.relations.relation import Relation, reduced, row_losses
from gradlab.localisation.trial import Laboratory, Outcome, Trial
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem

N_SUMS = 120  # sums at which log is measured
LOG_RIGHT = 0.97  # of the sums that are asked for twice, that have to agree


def logarithm_of(laboratory: Laboratory, like: Problem) -> Measured | None:
    """What is used for log in log sum exp(x - max x) - (x_y - max x), where that is a function of the sum alone.

    Its places are minus the logarithms of the sums.
    """
    rng = np.random.default_rng(2)
    logs = np.concatenate([rng.uniform(0, math.log(200), N_SUMS // 2), _softplus(rng.uniform(-16, 5, N_SUMS // 2))])
    found = [_log_read(laboratory, like, one, rng) for one in logs]
    again = [_log_read(laboratory, like, -one.at, rng) for one in found[::4] if one is not None]
    known = sorted((one for one in found if one is not None), key=lambda one: one.at)
    if len(known) < N_SUMS / 2 or not any(one.is_off for one in known):
        return None
    at, more, room = (np.array([getattr(one, name) for one in known]) for name in ("at", "more", "room"))
    more = np.where(np.abs(more) <= room, 0.0, more)
    twice = [abs(one.more - more[np.abs(at - one.at).argmin()]) <= 2 * one.room for one in again if one is not None]
    if not twice or np.mean(twice) < LOG_RIGHT:
        return None
    return Measured(at, more, np.maximum(line_errors(at, more), room))


def _softplus(values: Array) -> Array:
    return np.asarray(np.log1p(np.exp(values)))


@dataclass(frozen=True)
class LogReading:
    """What a row gave: minus log of its sum, by how much the loss exceeds what it should be, and the room for that."""

    at: float
    more: float
    room: float

    @property
    def is_off(self) -> bool:
        return abs(self.more) > self.room


def _log_read(laboratory: Laboratory, like: Problem, log_sum: float, rng: np.random.Generator) -> LogReading | None:
    """What a row gives of which the sum of exp(x - max x) has this logarithm."""
    others = math.expm1(log_sum)
    k = int(rng.integers(2 + int(others), 40 + 2 * int(others)))
    x = np.full((1, k), math.log(max(others, 1e-300) / (k - 1)))
    label = int(rng.integers(k))
    x[0, (label + int(rng.integers(0, 2))) % k] = 0.0
    problem = Problem(x.astype(like.logits.dtype), np.array([label]), Objective(reduction=like.objective.reduction))
    one = laboratory.ask(Trial(problem))
    if one is None or one.raised or not np.isfinite(one.seen.loss).all():
        return None
    off, bound = (float(value.ravel()[0]) for value in (one.seen.loss - one.seen.true_loss, one.seen.loss_bound))
    return LogReading(-float(np.log(np.exp(problem.logits64[0]).sum())), off, ROOM * bound)


def loss_by_logarithm(function: Measured) -> Relation:
    """The loss with a function in the place of log."""
    off = np.abs(function.more)
    where = float(np.exp(-function.places[off.argmax()]))
    words = (
        f"has another function in the place of log, up to {off.max():.2g} off, as where the sum of exp(x - max x) is"
    )
    return Relation(
        f"{words} {where:.4g}",
        partial(_loss_of_sum, function=function),
        partial(_log_off_by, function=function),
        MATCHED,
        partial(_is_measured, function=function),
    )


def _log_sums(one: Outcome) -> Array:
    """Minus log of the sum of every row."""
    x = one.problem.mapped64
    with np.errstate(all="ignore"):
        return np.asarray(-np.log(np.exp(x - x.max(axis=1, keepdims=True)).sum(axis=1)))


def _is_measured(one: Outcome, function: Measured) -> Array:
    """For which rows log was measured about their sum, boolean, (N,)."""
    places = _log_sums(one)
    return np.asarray((places >= function.places[0]) & (places <= function.places[-1] / 2))


def _loss_of_sum(one: Outcome, function: Measured) -> Array:
    return reduced(one, row_losses(one) + function(_log_sums(one)))


def _log_off_by(one: Outcome, function: Measured) -> Array:
    """By how much the loss of each row may be off, (N, 1)."""
    return np.asarray(function.off_by(_log_sums(one))[:, None] / 2)
