"""Families with a row for each binade of a format, both signs: whatever goes wrong between 2^e and 2^(e + 1) shows."""

from __future__ import annotations

import math

import numpy as np

from gradlab.problems.dtypes import Format
from gradlab.problems.families.placing import make_problem
from gradlab.problems.problem import Problem

MIN_EXPONENT = -20  # below 2^-20 logits are 0 to most of what is done with them
LARGE = 3  # from 2^3 on the label is at the largest logit: the loss is then small, and any error of it shows


def binades(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Logits in every binade from 2^-20 on, alone and against an ordinary rest; losses small where logits are large."""
    return [_sweep(fmt, MIN_EXPONENT, 0), _sweep(fmt, MIN_EXPONENT, 1)]


def all_binades(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """The same down to the smallest subnormal number, and with the label at another logit."""
    least = fmt.min_exponent - fmt.precision + 1
    return [_sweep(fmt, least, 0, other=1), _sweep(fmt, least, 1, other=1)]


def _sweep(fmt: Format, least: int, ordinary: int, other: int = 0) -> Problem:
    """Three logits of one binade a row, or one of it and two of everyday size; labels at the largest plus `other`."""
    exponents = np.arange(least, math.frexp(fmt.largest)[1])
    sizes = np.ldexp([[1.5, 1.25, 1.0]], exponents[:, None])
    if ordinary:
        sizes[:, 1:] = [0.5, -1.0]
    rows = np.concatenate([sizes, np.where([[True, not ordinary, not ordinary]], -sizes, sizes)])
    turns = np.arange(len(rows))
    labels = np.where(np.tile(exponents, 2) < LARGE, turns % 3, rows.argmax(axis=1) + other) % 3
    return make_problem(fmt, rows, labels)
