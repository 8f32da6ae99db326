"""Hypothesis strategies for logits, targets, objectives and problems, for property tests of one's own.

    from hypothesis import given
    from gradlab.problems.strategies import problems

    @given(problems("float32"))
    def test_rows_sum_to_zero(problem):
        loss, gradient = my_loss(problem.logits, problem.targets)
        ...

What is drawn entry by entry shrinks to small problems of small whole numbers; what is drawn by seed gives size. Both
are mixed. No setting of Hypothesis is changed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from gradlab.problems.dtypes import Format, format_of
from gradlab.problems.families.placing import leaves_normal, overflows, round_to, rounds_to_one, underflows
from gradlab.problems.families.vectors import KINDS
from gradlab.problems.objective import Objective
from gradlab.problems.options import PER_ROW_OPTIONS, REAL_OPTIONS, RealOption
from gradlab.problems.problem import PRODUCT, Array, Problem, Shape, moderate_limit

MAX_SHAPE = (12, 20)  # rows, classes; 240 entries
ENTRYWISE = (4, 6)  # a larger one is drawn by seed: an entry costs about 0.2 ms

# What may stand among the finite logits, by the name of the kind.
ENTRIES: dict[str, tuple[float, ...]] = {
    "moderate": (),
    "finite": (),
    "masked": (-np.inf,),
    "any": (-np.inf, np.inf, np.nan),
}
_WIDTHS = {"float16": 16, "bfloat16": 32, "float32": 32, "float64": 64}
_SCALES = (0.0, 1.0, 0.01, 10.0, 100.0, 1e4)
_WEIGHTS = (1.0, 0.5, 2.0, 0.25, 8.0)


def logits(dtype: str = "float64", entries: str = "finite", max_shape: Shape = MAX_SHAPE) -> SearchStrategy[Array]:
    """Logits of shape (n_rows, n_classes), at least (1, 1), in a dtype.

    entries: "moderate" (every form of the loss works), "finite" (up to the largest number), "masked" (finite and
    -inf, with a value in every row) or "any" (NaN and infinities too). Raises ValueError for another.
    max_shape: within ENTRYWISE all is drawn entry by entry, so that it shrinks to the smallest.
    """
    fmt = format_of(dtype)
    if entries not in ENTRIES:
        raise ValueError(f"entries must be one of {', '.join(ENTRIES)}, got {entries!r}")
    small = (min(max_shape[0], ENTRYWISE[0]), min(max_shape[1], ENTRYWISE[1]))
    by_entry = _shapes(small).flatmap(lambda shape: _by_entry(fmt, entries, shape))
    if max_shape == small:
        return by_entry
    by_seed = _shapes(max_shape).flatmap(lambda shape: _by_seed(fmt, entries, shape))
    return st.one_of(by_entry, by_entry, by_seed)


def labels(n_rows: int, n_classes: int, ignore_index: int | None = None) -> SearchStrategy[Array]:
    """Labels, int64, shape (n_rows,); with an ignore_index some rows may carry it."""
    one = st.integers(0, n_classes - 1)
    some = one if ignore_index is None else st.one_of(one, one, st.just(ignore_index))
    return st.lists(some, min_size=n_rows, max_size=n_rows).map(lambda values: np.array(values, dtype=np.int64))


def probabilities(dtype: str, n_rows: int, n_classes: int) -> SearchStrategy[Array]:
    """Probability targets in a dtype, shape (n_rows, n_classes): one-hot rows, and rows that need not sum to 1."""
    fmt = format_of(dtype)
    one_hot = st.integers(0, n_classes - 1).map(lambda label: [float(j == label) for j in range(n_classes)])
    share = st.one_of(st.sampled_from([1.0, 0.0, 0.5, 0.25]), st.floats(0, 1, allow_subnormal=False))
    row = st.one_of(one_hot, st.lists(share, min_size=n_classes, max_size=n_classes))
    rows = st.lists(row, min_size=n_rows, max_size=n_rows)
    return rows.map(lambda values: round_to(fmt, np.reshape(values, (n_rows, n_classes))))


def objectives(
    n_classes: int,
    reductions: Sequence[str] = ("mean",),
    targets: Sequence[str] = ("index",),
    options: Sequence[str] = (),
    *,
    mean_over: Sequence[str] = ("sum_of_weights",),
) -> SearchStrategy[Objective]:
    """Objectives for a number of classes: a reduction, a kind of target, and each option either on or off.

    mean_over: the rules of the mean. Options of one number per row are drawn by `with_per_row`. Class weights are above
    0, so that a mean over labels always divides by something.
    """
    weights = st.lists(st.sampled_from(_WEIGHTS), min_size=n_classes, max_size=n_classes).map(tuple)
    on: dict[str, SearchStrategy[object]] = {
        "label_smoothing": st.one_of(st.sampled_from([0.0, 0.5, 1.0, 0.1]), st.floats(0, 1, allow_subnormal=False)),
        "class_weights": st.one_of(st.none(), weights),
        "ignore_index": st.one_of(st.none(), st.just(-100), st.integers(0, n_classes - 1)),
        **{name: _real(option) for name, option in REAL_OPTIONS.items()},
    }

    def built(reduction: str, kind: str, rule: str, chosen: dict[str, object]) -> Objective:
        allowed = {name: value for name, value in chosen.items() if name != "ignore_index" or kind == "index"}
        return Objective(reduction, kind, mean_over=rule, **allowed)  # type: ignore[arg-type]  # Objective's own keywords

    chosen = st.fixed_dictionaries({name: on[name] for name in options})
    rules = st.just(mean_over[0]) if len(mean_over) == 1 else st.sampled_from(list(mean_over))
    drawn = st.tuples(st.sampled_from(list(reductions)), st.sampled_from(list(targets)), rules, chosen)
    return drawn.map(lambda values: built(*values))


def with_per_row(problem: Problem, options: Sequence[str]) -> SearchStrategy[Problem]:
    """The problem with each of these options of one number per row on or off, those that go with its reduction."""
    reduction, n_rows = problem.objective.reduction, problem.n_rows
    on: dict[str, SearchStrategy[object]] = {}
    for name in options:
        option = PER_ROW_OPTIONS[name]
        if reduction in option.reductions:
            one = st.one_of(st.sampled_from(option.tried), st.floats(*option.drawn, allow_subnormal=False))
            on[name] = st.one_of(st.none(), st.lists(one, min_size=n_rows, max_size=n_rows).map(tuple))
    return st.fixed_dictionaries(on).map(
        lambda chosen: problem.replace(objective=replace(problem.objective, **chosen))  # type: ignore[arg-type]
    )


def problems(
    dtype: str = "float64",
    objectives: Callable[[int], SearchStrategy[Objective]] = objectives,
    entries: str = "finite",
    max_shape: Shape = MAX_SHAPE,
) -> SearchStrategy[Problem]:
    """Problems in a dtype with at least one row; entries as in `logits`.

    objectives: from the number of classes to the objectives to draw, `objectives` with keywords bound for instance;
    unless given, the mean over labels. The simplest problem is [[0, 0]] with label 0.
    """

    def with_targets(values: Array) -> SearchStrategy[Problem]:
        return (
            objectives(values.shape[1])
            .flatmap(lambda objective: _targets(values, objective))
            .map(lambda drawn: Problem(values, drawn[0], drawn[1], "drawn", drawn[2]))
        )

    return logits(dtype, entries, max_shape).flatmap(with_targets)


def _real(option: RealOption) -> SearchStrategy[float]:
    """Off, the values that the families try, and others of its range."""
    listed = st.sampled_from([option.neutral, *option.tried])
    return st.one_of(listed, listed, st.floats(*option.drawn, allow_subnormal=False))


def vectors(dtype: str, n_rows: int, n_classes: int) -> SearchStrategy[Array]:
    """Vectors for a Hessian-vector product in a dtype, shape (n_rows, n_classes): whole numbers, and each kind."""
    fmt = format_of(dtype)
    small = st.lists(st.integers(-3, 3).map(float), min_size=n_classes, max_size=n_classes)
    seeded = st.tuples(st.sampled_from(list(KINDS)), st.integers(0, 2**16))
    other = seeded.map(lambda pair: KINDS[pair[0]](fmt, np.random.default_rng(pair[1]), n_classes).tolist())
    rows = st.lists(st.one_of(small, other), min_size=n_rows, max_size=n_rows)
    return rows.map(lambda values: round_to(fmt, np.reshape(values, (n_rows, n_classes))))


def _targets(values: Array, objective: Objective) -> SearchStrategy[tuple[Array, Objective, Array | None]]:
    if objective.targets == "index":
        drawn = labels(len(values), values.shape[1], objective.ignore_index)
    else:
        drawn = probabilities(values.dtype.name, len(values), values.shape[1])
    needs_vector = objective.derivative == PRODUCT
    vector = vectors(values.dtype.name, len(values), values.shape[1]) if needs_vector else st.none()
    return st.tuples(drawn, st.just(objective), vector)


def _shapes(largest: Shape) -> SearchStrategy[Shape]:
    """Shapes up to the largest; two classes are simpler than one, where there is nothing to get wrong."""
    classes = [*range(2, largest[1] + 1), 1]
    return st.tuples(st.integers(1, largest[0]), st.sampled_from(classes))


@st.composite
def _by_entry(draw: st.DrawFn, fmt: Format, entries: str, shape: Shape) -> Array:
    """Rows of small whole numbers, of edges of the format, of anything finite, or of small numbers plus an edge."""
    n_rows, n_classes = shape
    row = _moderate_row(fmt, n_classes) if entries == "moderate" else _finite_row(fmt, n_classes)
    values = np.array([draw(row) for _ in range(n_rows)])
    if len(ENTRIES[entries]) > 0 and draw(st.booleans()):
        place = st.tuples(st.integers(0, n_rows - 1), st.integers(0, n_classes - 1), st.sampled_from(ENTRIES[entries]))
        for i, j, value in draw(st.lists(place, min_size=1, max_size=n_rows * n_classes)):
            values[i, j] = value
    return round_to(fmt, _with_a_value(values) if entries == "masked" else values)


@st.composite
def _by_seed(draw: st.DrawFn, fmt: Format, entries: str, shape: Shape) -> Array:
    """Normal logits of one scale and offset, whole numbers or not; or uniform ones within the moderate limit."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if entries == "moderate":
        limit = _limit(fmt, shape[1])
        return round_to(fmt, rng.uniform(-limit, limit, shape))
    scale, offset = draw(st.sampled_from(_SCALES)), draw(st.sampled_from([0.0, *_edges(fmt)]))
    normal = rng.normal(size=shape)
    values = offset + scale * draw(st.sampled_from([np.rint(2 * normal), normal]))
    if len(ENTRIES[entries]) > 0 and draw(st.booleans()):
        values = np.where(rng.uniform(size=shape) < 0.1, rng.choice(ENTRIES[entries], shape), values)
    return round_to(fmt, _with_a_value(values) if entries == "masked" else values)


def _moderate_row(fmt: Format, n_classes: int) -> SearchStrategy[list[float]]:
    limit = _limit(fmt, n_classes)
    entry = st.one_of(st.integers(-int(limit), int(limit)).map(float), st.floats(-limit, limit))
    return st.lists(entry, min_size=n_classes, max_size=n_classes)


def _finite_row(fmt: Format, n_classes: int) -> SearchStrategy[list[float]]:
    small = st.integers(-9, 9).map(float)
    anything = st.floats(allow_nan=False, allow_infinity=False, width=_WIDTHS[fmt.name])  # type: ignore[arg-type]
    entry = st.one_of(small, st.floats(-10, 10), st.sampled_from(_edges(fmt)), anything)
    near = st.lists(small, min_size=n_classes, max_size=n_classes)
    offset = st.tuples(st.sampled_from(_edges(fmt)), near).map(lambda pair: [pair[0] + value for value in pair[1]])
    return st.one_of(near, st.lists(entry, min_size=n_classes, max_size=n_classes), offset)


def _edges(fmt: Format) -> list[float]:
    """Numbers where something happens in the format, of both signs: whole ones on either side of a threshold first."""
    thresholds = [rounds_to_one(fmt), leaves_normal(fmt), overflows(fmt), underflows(fmt)]
    near = [float(side(t)) for t in thresholds for side in (math.ceil, math.floor)]
    tiny = [1 + 2 * fmt.unit_roundoff, 1 - fmt.unit_roundoff, fmt.smallest_normal, fmt.smallest_subnormal]
    large = [1e4, min(2.0**30, fmt.largest / 4), fmt.largest * (1 - fmt.unit_roundoff), fmt.largest]
    return [sign * value for value in dict.fromkeys((*near, *large, *tiny)) for sign in (1, -1)]


def _limit(fmt: Format, n_classes: int) -> float:
    """The moderate limit, with room for rounding; at least a quarter, where nothing is moderate."""
    return max(moderate_limit(fmt, n_classes) * (1 - fmt.unit_roundoff), 0.25)


def _with_a_value(values: Array) -> Array:
    """The values with 0 in the first column of each row that has nothing finite."""
    values[~np.isfinite(values).any(axis=1), 0] = 0
    return values
