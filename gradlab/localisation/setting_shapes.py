"""Problems made of others, the shape or the labels set to a value."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from gradlab.localisation.features.feature import BLOCKS, BLOCKS_OF_ROWS, EXACT, MODULI, MODULI_OF_PRODUCTS
from gradlab.localisation.trial import LARGEST
from gradlab.localisation.varying import Rng, labels_of, some_rows, with_classes, with_labels, with_rows
from gradlab.problems.problem import Problem

Setting = Callable[[Problem, float, Rng], Problem]
SMALL = (2, 3, 4, 5, 7, 11)  # rows, or classes, of which a wanted number of entries is made


def _entries(problem: Problem, wanted: float, rng: Rng) -> Problem:
    """N or K such that N K is as wanted: one of them stays, where it divides that, or is a small number.

    Where no small number divides it, N K is a little more, or there is one row.
    """
    divides = [n for n in (problem.n_rows, problem.n_classes) if wanted % n == 0]
    if not divides:
        n = int(rng.choice([n for n in SMALL if wanted % n == 0] or SMALL))
        if rng.random() < 0.3:
            return with_rows(with_classes(problem, n, rng), -(-wanted // n))
        n = 1 if wanted % n and rng.random() < 0.5 else n
        return with_classes(with_rows(problem, n), -(-wanted // n), rng)
    if problem.n_rows in divides and (rng.random() < 0.5 or problem.n_classes not in divides):
        return with_classes(problem, max(1, round(wanted / problem.n_rows)), rng)
    return with_rows(problem, max(1, round(wanted / problem.n_classes)))


def _entries_at_remainder(m: int) -> Setting:
    """N and K of which the product has this remainder: N by chance, K by it."""

    def set_to(problem: Problem, wanted: float, rng: Rng) -> Problem:
        for n in (problem.n_rows, *map(int, rng.permutation(np.arange(1, 65)))):
            common = math.gcd(n, m)
            if int(wanted) % common == 0:
                least = int(wanted) // common * pow(n // common, -1, m // common) % (m // common)
                k = least + m // common * int(rng.integers(0, 4))
                if 0 < n * k <= LARGEST and rng.random() < 0.5:
                    return with_classes(with_rows(problem.rows(slice(0, 1)), 1), k, rng).rows(np.zeros(n, dtype=int))
        return problem

    return set_to


def _at_remainder(count: Callable[[Problem], int], change: Setting, m: int) -> Setting:
    """A number of rows, classes or a label with this remainder, near what it is."""

    def set_to(problem: Problem, wanted: float, rng: Rng) -> Problem:
        n = count(problem)
        step = int(rng.choice([0, 0, 1, 2])) * m
        return change(problem, max(int(wanted), n - n % m + int(wanted) + step) or m, rng)

    return set_to


def _label(problem: Problem, wanted: float, rng: Rng) -> Problem:
    problem = with_classes(problem, wanted + 1 + rng.integers(0, 4), rng) if wanted >= problem.n_classes else problem
    chosen = some_rows(problem, rng)[:, 0]
    return with_labels(problem, np.where(chosen, int(np.clip(wanted, 0, problem.n_classes - 1)), labels_of(problem)))


def _least_label(problem: Problem, wanted: float, rng: Rng) -> Problem:
    """All labels moved so that the smallest is as wanted."""
    problem = with_classes(problem, wanted + 1 + rng.integers(0, 4), rng) if wanted >= problem.n_classes else problem
    labels = labels_of(problem)
    return with_labels(problem, np.clip(labels - labels.min() + int(wanted), 0, problem.n_classes - 1))


def _largest_label_from_end(problem: Problem, wanted: float, rng: Rng) -> Problem:
    """A last label that is so far from the last class, and none beyond."""
    largest = max(0, problem.n_classes - 1 - int(wanted))
    labels = np.minimum(labels_of(problem), largest)
    labels[rng.integers(problem.n_rows)] = largest
    return with_labels(problem, labels)


def _labels_without_gaps(problem: Problem, wanted: float, rng: Rng) -> Problem:
    last = problem.n_classes - 1
    if wanted:
        return with_labels(problem, np.arange(problem.n_rows) % min(problem.n_rows, problem.n_classes))
    return with_labels(problem, rng.choice([last, max(last - 1, 0), 0 if last > 1 else last], problem.n_rows))


def _labels_as_often(problem: Problem, wanted: float, rng: Rng) -> Problem:
    if wanted:
        return with_labels(problem, rng.permutation(problem.n_classes)[:1].repeat(problem.n_rows))
    problem = with_rows(problem, max(3, problem.n_rows))
    labels = np.full(problem.n_rows, rng.integers(problem.n_classes))
    labels[-1] = (labels[0] + 1) % problem.n_classes
    return with_labels(problem, labels)


def _label_from_end(problem: Problem, wanted: float, rng: Rng) -> Problem:
    return _label(problem, max(0, problem.n_classes - 1 - wanted), rng)


def _power(count: Callable[[Problem], int], change: Setting) -> Setting:
    def set_to(problem: Problem, wanted: float, rng: Rng) -> Problem:
        near = 2 ** max(1, round(np.log2(count(problem))))
        return change(
            problem,
            near if wanted else int(rng.choice([near - 1, near + 1, 3 * near, 5 * near, near + near // 2 + 1])),
            rng,
        )

    return set_to


def _rows_left_over(m: int) -> Setting:
    """Rows beyond the last whole block of m, or none."""

    def set_to(problem: Problem, wanted: float, rng: Rng) -> Problem:
        n = max(problem.n_rows, m if rng.random() < 0.5 else 1) // m * m
        return with_rows(problem, n + int(rng.integers(1, m)) if wanted else max(n, m))

    return set_to


def _label_left_over(m: int) -> Setting:
    """A label beyond the last whole block of m classes, or in one."""

    def set_to(problem: Problem, wanted: float, rng: Rng) -> Problem:
        k = max(problem.n_classes, m if rng.random() < 0.5 else 1) // m * m + int(rng.integers(1, m))
        whole = k // m * m
        if not wanted and not whole:
            k, whole = m, m
        return _label(
            with_classes(problem, k, rng), int(rng.integers(whole, k) if wanted else rng.integers(whole)), rng
        )

    return set_to


def _exact_in(bits: int, change: Setting) -> Setting:
    """A number that is just not exact in so many bits, or one beside it that is."""

    def set_to(problem: Problem, wanted: float, rng: Rng) -> Problem:
        odd = 2**bits + 1 + 2 * int(rng.integers(0, 2 ** (bits - 1)))
        size = 2 ** int(rng.choice([0, 0, 1, 2]))
        return change(problem, size * odd if not wanted else 2 * size * (odd // 2), rng)

    return set_to


def _near_power(wanted: float) -> int:
    return int(2 ** round(np.log2(max(wanted, 1))))


def _rows_count(problem: Problem) -> int:
    return problem.n_rows


def _classes_count(problem: Problem) -> int:
    return problem.n_classes


OF_SHAPES: dict[str, Setting] = {
    "n_rows": with_rows,
    "n_classes": with_classes,
    "n_entries": _entries,
    "row": lambda p, v, rng: with_rows(p, v + 1 + (rng.integers(0, 3) if v > 0 else 0)),
    "rows_power_of_two": _power(_rows_count, with_rows),
    "classes_power_of_two": _power(_classes_count, with_classes),
    "rows_as_power": lambda p, v, rng: with_rows(p, _near_power(v)),
    "classes_as_power": lambda p, v, rng: with_classes(p, _near_power(v), rng),
    "is_square": lambda p, v, rng: with_rows(p, p.n_classes if v else p.n_classes + 1),
    "rows_less_classes": lambda p, v, rng: with_rows(p, p.n_classes + v),
    "rows_over_classes": lambda p, v, rng: with_rows(p, max(1, round(v * p.n_classes))),
    "classes_over_rows": lambda p, v, rng: with_classes(p, max(1, round(v * p.n_rows)), rng),
    "label": _label,
    "label_from_end": _label_from_end,
    "least_label": _least_label,
    "largest_label_from_end": _largest_label_from_end,
    "labels_without_gaps": _labels_without_gaps,
    "labels_as_often": _labels_as_often,
    "labels_alike": lambda p, v, rng: with_labels(
        p, np.full(p.n_rows, rng.integers(p.n_classes)) if v else np.arange(p.n_rows) % p.n_classes
    ),
    "label_seen_before": lambda p, v, rng: with_labels(
        p, rng.integers(0, min(2, p.n_classes), p.n_rows) if v else np.arange(p.n_rows) % p.n_classes
    ),
    "labels_rise": lambda p, v, rng: with_labels(p, np.sort(labels_of(p)) if v else np.sort(labels_of(p))[::-1]),
    **{f"row_beyond_blocks_of_{m}": _rows_left_over(m) for m in BLOCKS_OF_ROWS},
    **{f"label_beyond_blocks_of_{m}": _label_left_over(m) for m in BLOCKS},
    **{f"rows_mod_{m}": _at_remainder(_rows_count, with_rows, m) for m in MODULI},
    **{f"entries_mod_{m}": _entries_at_remainder(m) for m in MODULI_OF_PRODUCTS},
    **{f"classes_mod_{m}": _at_remainder(_classes_count, with_classes, m) for m in MODULI},
    **{f"label_mod_{m}": _at_remainder(lambda p: int(labels_of(p)[0]), _label, m) for m in MODULI},
    **{f"row_mod_{m}": _at_remainder(_rows_count, lambda p, v, rng: with_rows(p, v + 1), m) for m in MODULI},
    **{f"rows_exact_in_{dtype}": _exact_in(bits, with_rows) for dtype, bits in EXACT.items()},
    **{f"label_exact_in_{dtype}": _exact_in(bits, _label) for dtype, bits in EXACT.items()},
}
