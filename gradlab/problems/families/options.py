"""Problems with an option of the objective switched on, for every option there is and the pairs that interact."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from gradlab.problems.dtypes import Format
from gradlab.problems.families.placing import make_problem, rounds_to_one
from gradlab.problems.objective import Objective
from gradlab.problems.options import PER_ROW_OPTIONS, REAL_OPTIONS
from gradlab.problems.problem import Array, Problem

N_CLASSES = 5
WEIGHTS = (0.5, 2.0, 0.0, 1.0, 0.25)  # exact in every format; one of them 0
UNUSED = -100  # the label that frameworks ignore unless told otherwise
USED = 3  # a label to be ignored that is a class as well
# Labels to be ignored that are taken for a class: next to the classes, or one of them in 32, 16 or 8 bits.
IGNORED = (-1, -2, -N_CLASSES, N_CLASSES, N_CLASSES + 1, 2**32, 2**32 + 3, 2**31, 2**16 + 3, 2**8 + 3)
# Ignored rows between rows of the last class and of the first, whose entries lie next to theirs in memory.
BESIDE_IGNORED = (4, UNUSED, 0, UNUSED, 3, 0, UNUSED, 4, UNUSED, UNUSED, 1, 2)
_NONE_AND_BOTH: tuple[dict[str, Any], ...] = ({}, {"class_weights": WEIGHTS, "label_smoothing": 0.25})
_SINGLE: tuple[dict[str, Any], ...] = ({"class_weights": WEIGHTS}, {"label_smoothing": 0.1})


def option_problems(fmt: Format, seed: int, reduction: str, mean_over: str = "sum_of_weights") -> list[Problem]:
    """Problems with this reduction and rule of the mean: plain ones, then each option, then options together.

    The same for the same seed. The objective says what each asks for; family is the option's keyword, "reduction" or
    "probability".
    Raises ValueError for an unknown reduction or rule.
    """
    base = Objective(reduction=reduction, mean_over=mean_over)
    logits = _logits(fmt, np.random.default_rng([seed, 1]))
    found = [
        _with(problem, base, "reduction") for problem in [*logits, make_problem(fmt, np.zeros((0, N_CLASSES)), [])]
    ]
    found += [_with(problem, objective, name) for name, objective in _index_objectives(base) for problem in logits]
    found += _ignoring(logits, base)
    found += _real(logits, base)
    found += _per_row(logits, base)
    found += [
        _lost(_with(logits[0], replace(base, label_smoothing=0.1), "label_smoothing")),
        _lost(_with(logits[0], replace(base, class_weights=WEIGHTS), "class_weights")),
    ]
    soft = replace(base, targets="probability")
    shares = _shares(fmt, np.random.default_rng([seed, 2]))
    found += [_with_shares(problem, shares, soft) for problem in logits]
    found += [_with_shares(logits[0], _near_labels(fmt), soft)]
    found += [
        _with_shares(logits[0], shares, _on(soft, {name: option.tried[0]})).replace(family=name)
        for name, option in REAL_OPTIONS.items()
    ]
    found += [
        _with_shares(logits[0], shares, replace(soft, **options))
        for options in (
            {"label_smoothing": 0.1},
            {"class_weights": WEIGHTS},
            {"label_smoothing": 0.25, "class_weights": WEIGHTS},
        )
    ]
    found += [
        _with_shares(logits[0], one_hot(logits[0]).targets, own).replace(family=name) for name, own in _each_alone(soft)
    ]
    found += [
        _with_shares(problem, shares, with_rows(replace(soft, **more), name, problem.n_rows)).replace(family=name)
        for name in per_row_names(base)
        for more in _NONE_AND_BOTH
        for problem in logits[:2]
    ]
    return [
        *found,
        *_masked_problems(fmt, soft),
        *_two_classes(fmt, soft),
        *_large(fmt, base, np.random.default_rng([seed, 3])),
    ]


def _each_alone(soft: Objective) -> list[tuple[str, Objective]]:
    """The objective with each option that goes with probabilities: with labels spelled as such, mistakes show alone."""
    found = [("class_weights", replace(soft, class_weights=WEIGHTS))]
    found += [(name, _on(soft, {name: option.tried[-1]})) for name, option in REAL_OPTIONS.items()]
    return found + [(name, with_rows(soft, name, 4)) for name in per_row_names(soft)]


def one_hot(problem: Problem) -> Problem:
    """The same problem with its labels spelled as probabilities; ignore_index must be off."""
    targets = np.zeros(problem.logits.shape)
    targets[np.arange(problem.n_rows), problem.targets] = 1
    objective = replace(problem.objective, targets="probability")
    return problem.replace(targets=targets.astype(problem.logits.dtype), objective=objective)


def _logits(fmt: Format, rng: np.random.Generator) -> list[Problem]:
    """Four rows of five classes: moderate; with margins of up to twice what rounds p_y to 1; with an offset."""
    labels = [0, 3, 1, 2]
    margin = 2 * rounds_to_one(fmt)
    offset = 2.0 ** (fmt.precision - 4)
    return [
        make_problem(fmt, rng.uniform(-1.5, 1.5, (4, N_CLASSES)), labels),
        make_problem(fmt, rng.uniform(-margin, 0, (4, N_CLASSES)), labels),
        make_problem(fmt, offset - rng.integers(0, 8, (4, N_CLASSES)) / 2, labels),
    ]


def _index_objectives(base: Objective) -> list[tuple[str, Objective]]:
    return [
        ("label_smoothing", replace(base, label_smoothing=0.1)),
        ("label_smoothing", replace(base, label_smoothing=0.01)),
        ("label_smoothing", replace(base, label_smoothing=1.0)),
        ("class_weights", replace(base, class_weights=WEIGHTS)),
        ("class_weights", replace(base, class_weights=WEIGHTS, label_smoothing=0.25)),
    ]


def _ignoring(logits: list[Problem], base: Objective) -> list[Problem]:
    """One row ignored, by a label that is a class and by one that is not; then all; then with the other options."""
    unused, used = replace(base, ignore_index=UNUSED), replace(base, ignore_index=USED)
    first = logits[0].targets.copy()
    first[2] = UNUSED
    every = np.full(first.shape, UNUSED)
    both = replace(unused, class_weights=WEIGHTS, label_smoothing=0.25)
    pairs = [replace(one, **other) for one in (unused, used) for other in _SINGLE]
    cases = [(problem, problem.targets, used) for problem in logits]
    cases += [
        (logits[0], first, unused),
        (logits[0], every, unused),
        (logits[1], first, both),
        (_lost(logits[0]), first, unused),
        (logits[0], logits[0].targets, replace(base, ignore_index=0)),  # a class, and false
    ]
    for label in (-1, 255, N_CLASSES):
        cases.append((logits[0], np.where(first == UNUSED, label, first), replace(base, ignore_index=label)))
    beside = logits[0].rows(np.arange(len(BESIDE_IGNORED)) % logits[0].n_rows)
    for label in IGNORED:
        own = np.where(np.array(BESIDE_IGNORED) == UNUSED, label, BESIDE_IGNORED)
        cases.append((beside, own, replace(base, ignore_index=label)))
    cases += [(logits[0], first if pair.ignore_index == UNUSED else logits[0].targets, pair) for pair in pairs]
    return [problem.replace(targets=t, objective=o, family="ignore_index") for problem, t, o in cases]


def _real(logits: list[Problem], base: Objective) -> list[Problem]:
    """Each option that is a number, with every value to be tried; with -inf and an ignored row; then in pairs.

    In the pairs stand other options of its kind, and weights with smoothing.
    """
    masked = logits[0].logits.copy()
    masked[0, 1] = masked[2, 4] = -np.inf
    some = logits[0].targets.copy()
    some[2] = UNUSED
    found = []
    for name, option in REAL_OPTIONS.items():
        first = _on(base, {name: option.tried[0]})
        found += [_with(problem, _on(base, {name: value}), name) for value in option.tried for problem in logits]
        found.append(_with(logits[0].replace(logits=masked), first, name))
        found.append(logits[0].replace(targets=some, objective=replace(first, ignore_index=UNUSED), family=name))
        found.append(_with(logits[0], replace(first, class_weights=WEIGHTS, label_smoothing=0.25), name))
    for one, other in combinations(REAL_OPTIONS, 2):
        values = {name: REAL_OPTIONS[name].tried[-1] for name in (one, other)}
        found.append(_with(logits[1], _on(base, values), one))
    return found


def per_row_names(objective: Objective) -> list[str]:
    """The options of one number per row that go with an objective's reduction."""
    return [name for name, option in PER_ROW_OPTIONS.items() if objective.reduction in option.reductions]


def with_rows(objective: Objective, name: str, n_rows: int, scale: float = 1.0) -> Objective:
    """The objective with an option of one number per row: those that are tried, in turn, times the scale."""
    values = tuple((scale * np.resize(PER_ROW_OPTIONS[name].tried, n_rows)).tolist())
    return _on(objective, {name: values})


def _per_row(logits: list[Problem], base: Objective) -> list[Problem]:
    """Each option of one number per row: alone, tiny, for one row, with each of the others; then all of them together.

    No row whose number is 0 holds anything infinite: what holds there is left open, see `harness.problems`.
    """
    masked, lost = logits[0].logits.copy(), logits[0].logits.copy()
    masked[0, 1] = masked[1, 4] = masked[1, 3] = -np.inf
    lost[1, 1] = np.nan
    some = logits[0].targets.copy()
    some[1] = UNUSED
    found = []
    for name in per_row_names(base):
        own = with_rows(base, name, len(some))
        found += [_with(problem, own, name) for problem in logits]
        tiny = 2.0 ** (logits[0].format.min_exponent // 4)
        found.append(_with(logits[0], with_rows(base, name, len(some), tiny), name))
        found.append(_with(logits[0].rows(slice(1)), with_rows(base, name, 1), name))
        found += [_with(logits[0].replace(logits=one), own, name) for one in (masked, lost)]
        found.append(logits[0].replace(targets=some, objective=replace(own, ignore_index=UNUSED), family=name))
        found.append(_with(logits[0], replace(own, ignore_index=USED), name))
        found += [_with(logits[0], replace(own, **other), name) for other in _SINGLE]
        found.append(_with(logits[1], replace(own, class_weights=WEIGHTS, label_smoothing=0.25), name))
        found += [
            _with(problem, _on(own, {real: option.tried[0]}), name)
            for real, option in REAL_OPTIONS.items()
            for problem in logits[:2]
        ]
    names, together = per_row_names(base), base
    for name in names:
        together = with_rows(together, name, len(some))
    return [*found, *([_with(logits[0], together, names[0])] if len(names) > 1 else [])]


def _on(objective: Objective, options: dict[str, Any]) -> Objective:
    return replace(objective, **options)


def _lost(problem: Problem) -> Problem:
    """The problem with NaN in its third row."""
    logits = problem.logits.copy()
    logits[2, 1] = np.nan
    return problem.replace(logits=logits)


def _shares(fmt: Format, rng: np.random.Generator) -> Array:
    """Targets of four kinds, one a row: summing to 1, with zeros, summing to more than 1, summing to 0."""
    shares = rng.dirichlet(np.ones(N_CLASSES), 4)
    shares[1] = [0, 0.75, 0, 0.25, 0]
    shares[2] = rng.uniform(0, 1, N_CLASSES)
    shares[3] = 0
    return shares.astype(fmt.dtype)


def _near_labels(fmt: Format) -> Array:
    """Targets that are nearly a label, two labels at once, a label, and half of one."""
    shares = np.zeros((4, N_CLASSES))
    shares[0, :2] = [0.97, 0.03]
    shares[1, [0, 2]] = 1
    shares[2, 3] = 1
    shares[3, 4] = 0.5
    return shares.astype(fmt.dtype)


def _two_classes(fmt: Format, soft: Objective) -> list[Problem]:
    logits = make_problem(fmt, [[0, 1], [0.5, -1], [0, 0]], [0, 0, 0])
    return [_with_shares(logits, np.array([[0.25, 0.75], [1, 0], [0.5, 0.5]]).astype(fmt.dtype), soft)]


def _large(fmt: Format, base: Objective, rng: np.random.Generator) -> list[Problem]:
    """More rows, and more classes, than a block holds: with the reduction alone, and with each option alone."""
    found = []
    for rows, classes in [(40, 70), (260, 3)]:
        weights = tuple(float(2.0**power) for power in rng.integers(-2, 3, classes))
        options: list[tuple[str, dict[str, Any]]] = [
            ("reduction", {}),
            ("label_smoothing", {"label_smoothing": 0.1}),
            ("class_weights", {"class_weights": weights}),
            ("ignore_index", {"ignore_index": 1}),
            *((name, {name: option.tried[0]}) for name, option in REAL_OPTIONS.items()),
            *((name, {name: getattr(with_rows(base, name, rows), name)}) for name in per_row_names(base)),
        ]
        plain = make_problem(fmt, rng.uniform(-1, 1, (rows, classes)), rng.integers(0, classes, rows))
        found += [_with(plain, replace(base, **chosen), name) for name, chosen in options]
        shares = rng.dirichlet(np.ones(classes), rows).astype(fmt.dtype)
        found.append(_with_shares(plain, shares, replace(base, targets="probability")))
    return found


def _masked_problems(fmt: Format, soft: Objective) -> list[Problem]:
    """-inf where the target has no share, and, in a problem of its own, where it has some."""
    logits = make_problem(fmt, [[0, 1, -np.inf], [1, 0, 2]], [0, 0])
    halves = np.array([[0.5, 0.5, 0], [0, 0.5, 0.5]]).astype(fmt.dtype)
    quarters = np.array([[0.5, 0.25, 0.25], [0, 0.5, 0.5]]).astype(fmt.dtype)
    return [_with_shares(logits, targets, soft) for targets in (halves, quarters)]


def _with(problem: Problem, objective: Objective, family: str) -> Problem:
    return problem.replace(objective=objective, family=family)


def _with_shares(problem: Problem, shares: Array, objective: Objective) -> Problem:
    return problem.replace(targets=shares, objective=objective, family="probability")
