"""The answers that a localisation begins with: those of the run, and the same problems spelled in other ways."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from gradlab.evaluation.call import Implementation, answer
from gradlab.evaluation.layouts import INTEGERS, MORE_INTEGERS, PLAIN_INTEGERS, PLAIN_LAYOUT
from gradlab.localisation.symptoms import Symptom
from gradlab.localisation.trial import (
    ALL_LAYOUTS,
    EVERY_OTHER,
    LARGEST,
    Laboratory,
    Outcome,
    Trial,
    outcome_of,
    spelled_answer,
)
from gradlab.localisation.varying import PLAIN, cheap, with_classes, with_rows
from gradlab.problems.problem import Problem, Shape
from gradlab.problems.sized import is_repeated, is_sized, spelling_of

MAX_SEEDS = 90  # answers of the run, wrong ones and right ones, with which it begins
MAX_LARGE = 8  # problems of the run of more than `PLAIN` entries, the smallest of either kind
SEVERAL = 3  # rows, or classes
LABELS_APART = (EVERY_OTHER, "every other row of a taller array", "transposed, of a taller array")
MAX_RESPELLED = 2  # wrong trials that are put in every other layout and integer type


def first_outcomes(laboratory: Laboratory, problems: Sequence[Problem]) -> list[Outcome]:
    """Answers that the run has had: the smallest wrong ones and the right ones, some of every family."""
    implementation, symptom = laboratory.implementation, laboratory.symptom
    outcomes = [_first_outcome(implementation, problem, symptom) for problem in _affordable(problems)]
    if not any(one.is_wrong for one in outcomes):
        outcomes += [_first_outcome(implementation, problem, symptom) for problem in _first_large(problems)]
    found = list[Outcome]()
    for mark in (True, False):
        some = [one for one in outcomes if one.is_wrong is mark]
        spread = np.unique(np.linspace(0, len(some) - 1, min(len(some), MAX_SEEDS)).astype(int))  # of every family
        found += [some[place] for place in spread]
    return found


def _affordable(problems: Sequence[Problem]) -> Iterator[Problem]:
    """The small problems, and the smallest of the large ones, of those of sizes and of others."""
    yield from (problem for problem in problems if problem.n_rows and problem.logits.size <= PLAIN)
    for mark in (True, False):
        large = [one for one in problems if PLAIN < one.logits.size <= LARGEST and is_sized(one) is mark]
        yield from sorted(large, key=lambda problem: problem.logits.size)[:MAX_LARGE]


def _first_large(problems: Sequence[Problem]) -> list[Problem]:
    """The first large problems that are not among the affordable ones: where sizes alone fail, those that failed."""
    known = {problem.digest for problem in _affordable(problems)}
    large = (one for one in problems if PLAIN < one.logits.size <= LARGEST and one.digest not in known)
    return list(islice(large, MAX_LARGE))


def _first_outcome(implementation: Implementation, problem: Problem, symptom: Symptom | None) -> Outcome:
    """What came of a problem in the run, which spelled it as its family says; in int64 where others are refused."""
    if not is_sized(problem) or is_repeated(problem):
        return outcome_of(Trial(problem), answer(implementation, problem), symptom)
    integers, layout = spelling_of(problem)
    trial = Trial(problem, layout, integers, layout in LABELS_APART)
    given = spelled_answer(implementation, trial)
    if given.raised and integers != PLAIN_INTEGERS:
        trial = replace(trial, integers=PLAIN_INTEGERS)
        given = spelled_answer(implementation, trial)
    return outcome_of(trial, given, symptom)


def spelled_otherwise(laboratory: Laboratory, right: Sequence[Outcome], failed: Collection[str]) -> list[Outcome]:
    """The right problems in every layout, and with labels of every type, where a check of these failed."""
    trials = list[Trial]()
    small = sorted(right, key=lambda one: one.problem.logits.size)
    few = [one.problem for one in small if min(one.problem.logits.shape) > 1 and one.problem.is_moderate][:6]
    for problem in few:
        if "layout_does_not_matter" in failed:
            trials += [Trial(problem, layout) for layout in ALL_LAYOUTS if layout != PLAIN_LAYOUT]
            trials += [Trial(problem, labels_apart=True)]
        if {"layout_does_not_matter", "integer_type_of_the_labels_does_not_matter"} & set(failed):
            trials += [Trial(problem, integers=name) for name in INTEGERS if problem.n_classes < 128]
    return [one for one in map(laboratory.ask, trials) if one is not None]


def beside_one_shape(laboratory: Laboratory, wrong: Sequence[Outcome]) -> list[Outcome]:
    """Where all wrong trials are of one shape, of several rows and classes: one of them in shapes beside, and twice it.

    So it shows early whether that shape alone is wrong: each answer to a large problem is dear.
    """
    if len({one.problem.logits.shape for one in wrong}) != 1 or min(wrong[0].problem.logits.shape) < SEVERAL:
        return []
    base, rng = min(wrong, key=lambda one: not one.trial.is_plain).trial, np.random.default_rng(0)
    n, k = base.problem.logits.shape
    problems = [with_rows(base.problem, rows) for rows in (n - 1, n + 1, 2 * n)]
    problems += [with_classes(base.problem, classes, rng) for classes in (k - 1, k + 1, 2 * k)]
    problems += [with_classes(with_rows(base.problem, rows), classes, rng) for rows, classes in _in_proportion(n, k)]
    asked = [laboratory.ask(replace(base, problem=cheap(problem))) for problem in problems]
    return [one for one in asked if one is not None]


def _in_proportion(n: int, k: int) -> list[Shape]:
    """Twice as many rows and classes, and half as many or a third, where they are whole numbers."""
    shares = [(n // part, k // part) for part in (2, 3) if n % part == k % part == 0]
    return [(2 * n, 2 * k), *shares[:1]]


def one_thing_plain(laboratory: Laboratory, wrong: Sequence[Outcome]) -> list[Outcome]:
    """The smallest wrong trials that are not plain, in other layouts and with labels of other types."""
    small = sorted((one for one in wrong if not one.trial.is_plain), key=lambda one: one.problem.logits.size)
    trials = list[Trial]()
    for one in small[:MAX_RESPELLED]:
        trial = replace(one.trial, problem=cheap(one.problem))
        plain = laboratory.ask(Trial(trial.problem))
        if plain is None or plain.is_wrong:
            return [plain] if plain is not None else []
        trials += [replace(trial, labels_apart=not trial.labels_apart)]
        trials += [trial, *(replace(trial, layout=name) for name in ALL_LAYOUTS if name != trial.layout)]
        trials += [replace(trial, integers=name) for name in (*INTEGERS, *MORE_INTEGERS) if name != trial.integers]
    return [one for one in map(laboratory.ask, trials) if one is not None]
