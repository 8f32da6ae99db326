"""The problems that tell rules apart. Weights, probabilities and their sums are sums of a few powers of two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradlab.campaigns.conformance.case import Asked, Spelling
from gradlab.evaluation.call import Call
from gradlab.evaluation.claims import Claims
from gradlab.evaluation.layouts import INTEGERS, LAYOUTS
from gradlab.problems.dtypes import Format
from gradlab.problems.families.options import one_hot
from gradlab.problems.families.placing import leaves_normal, round_to
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Array, Problem

INF, NAN = np.inf, np.nan
PLAIN = [1.0, 2.0, 0.0]
SOUND = [1.0, 0.0, 2.0]  # a row beside the one in question, with label 2, which that must not touch
FOUR = ([0.0, 1.0, 2.0, -1.0], [1.0, 0.0, -1.0, 2.0])
IGNORED = 3  # no label of three classes, and not the -100 that is ignored without being asked

Asks = Callable[[Claims, Format], Asked]


def preferred_reduction(claims: Claims) -> str:
    """The mean where it is claimed, so that all are asked for the same, and else the first."""
    return "mean" if "mean" in claims.reduction else claims.reduction[0]


def beside_a_sound_row(row: Sequence[float], label: int = 0) -> Asks:
    """The row in question first, and SOUND below it; as labels, or as probabilities where those are claimed first."""
    return _plain([list(row), SOUND], [label, 2])


def bad_label(label: int) -> Asks:
    """PLAIN with a label that is none; the problem has label 1 in its place."""
    plain = _plain([PLAIN, SOUND], [1, 2])
    return lambda claims, fmt: Asked(plain(_index_first(claims), fmt).problem, np.array([label, 2]))


def four_classes() -> Asks:
    """Two rows of four classes, without options."""
    return _plain(list(FOUR), [0, 1])


def empty() -> Asks:
    """The mean over no rows, three classes."""
    return _mean(_plain(np.zeros((0, 3)), []))


def subnormal() -> Asks:
    """One row of two classes, of which the other one's probability is a quarter of the smallest normal number."""
    return lambda claims, fmt: _plain([[0.0, -leaves_normal(fmt) - np.log(4)]], [0])(claims, fmt)


def ignoring(labels: Sequence[int]) -> Asks:
    """The mean over two rows of three classes, some of them with the label that is to be ignored."""
    return _mean(_with_labels([PLAIN, SOUND], labels, ignore_index=IGNORED))


def smoothed_rows() -> Asks:
    """Two rows of four classes, epsilon 1/4."""
    return _with_labels(FOUR, [0, 1], label_smoothing=0.25)


def weighted_rows() -> Asks:
    """The mean over two rows of three classes, whose labels have weights that sum to 3."""
    return _mean(_with_labels([PLAIN, SOUND], [0, 2], class_weights=(1.0, 4.0, 2.0)))


def sample_weighted() -> Asks:
    """The mean over two rows of three classes, whose sample weights sum to 3."""
    return _mean(_with_labels([PLAIN, SOUND], [0, 2], sample_weights=(1.0, 2.0)))


def weightless_without_value() -> Asks:
    """A row with NaN and the sample weight 0, first, and a sound row of weight 2."""
    return _with_labels([[0.0, NAN, 1.0], SOUND], [0, 2], sample_weights=(0.0, 2.0))


def weighted_and_smoothed() -> Asks:
    """Two rows of four classes, epsilon 1/4; the weights of their labels sum to 2, their number."""
    return _with_labels(FOUR, [0, 1], label_smoothing=0.25, class_weights=(0.5, 1.5, 4.0, 2.0))


def weighted_probabilities() -> Asks:
    """The mean over two rows of probabilities, whose weights sum to 8."""
    targets = [[0.5, 0.5, 0.0], [0.25, 0.25, 0.5]]
    return _mean(_with_probabilities([PLAIN, SOUND], targets, class_weights=(2.0, 6.0, 4.0)))


def probabilities_of_any_sum() -> Asks:
    """Probabilities that sum to 3/4 and 1/2; the last class has logit 0 and probability 0."""
    return _with_probabilities([[1.0, 2.0, 0.0], [2.0, -1.0, 0.0]], [[0.5, 0.25, 0.0], [0.25, 0.25, 0.0]])


def masked_without_probability() -> Asks:
    """-inf at a class whose probability is 0, and a sound row."""
    return _with_probabilities([[0.0, -INF, 1.0], SOUND], [[0.5, 0.0, 0.5], [0.25, 0.5, 0.25]])


def in_every_integer_type() -> Asks:
    """The labels in each integer type besides int64."""

    def spelling(name: str) -> Spelling:
        return lambda call: replace(call, targets=call.targets.astype(name))

    plain = _plain(list(FOUR), [0, 3])
    spellings = {name: spelling(name) for name in INTEGERS}
    return lambda claims, fmt: Asked(plain(_index_first(claims), fmt).problem, None, spellings)


def in_every_layout() -> Asks:
    """The logits in each layout that an array may have in memory."""

    def spelling(layout: Callable[[Array], Array]) -> Spelling:
        return lambda call: Call(layout(call.logits), call.targets, call.keywords)

    plain = four_classes()
    spellings = {name: spelling(layout) for name, layout in LAYOUTS.items()}
    return lambda claims, fmt: replace(plain(claims, fmt), spellings=spellings)


def _mean(asks: Asks) -> Asks:
    return lambda claims, fmt: asks(replace(claims, reduction=("mean",)), fmt)


def _index_first(claims: Claims) -> Claims:
    return replace(claims, targets=("index",))


def _plain(logits: Any, labels: Sequence[int]) -> Asks:
    with_labels = _with_labels(logits, labels)

    def asks(claims: Claims, fmt: Format) -> Asked:
        asked = with_labels(claims, fmt)
        return asked if claims.targets[0] == "index" else replace(asked, problem=one_hot(asked.problem))

    return asks


def _with_labels(logits: Any, labels: Sequence[int], **options: Any) -> Asks:
    def asks(claims: Claims, fmt: Format) -> Asked:
        objective = Objective(preferred_reduction(claims), "index", **options)
        return Asked(Problem(round_to(fmt, np.asarray(logits)), np.array(labels, dtype=np.int64), objective))

    return asks


def _with_probabilities(logits: Any, targets: Any, **options: Any) -> Asks:
    def asks(claims: Claims, fmt: Format) -> Asked:
        objective = Objective(preferred_reduction(claims), "probability", **options)
        return Asked(Problem(round_to(fmt, np.asarray(logits)), round_to(fmt, np.asarray(targets)), objective))

    return asks
