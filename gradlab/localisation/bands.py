"""Rules on single logits: what goes wrong where some logit of a row, or what is made of it, lies between two ends."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradlab.localisation.evidence import Effect, Evidence
from gradlab.localisation.relations.relation import softmax_over
from gradlab.localisation.trial import Outcome, Trial
from gradlab.localisation.varying import Rng, labels_of, with_logits
from gradlab.problems.problem import Array, Problem

SEEN = 4.0  # times its bound, that a wrong entry is off
MAX_ENTRIES = 1 << 15  # of one problem that are looked at


@dataclass(frozen=True)
class Measure:
    """A number of every entry: its words, how it is worked out, and the logit that gives it to an entry.

    value: of a problem, (N, K). logit: for a value, the largest of the other logits, their log sum exp, the label's
    logit and the number of rows.
    """

    noun: str
    value: Callable[[Problem], Array]
    logit: Callable[[float, float, float, float, int], float]


def _probabilities(problem: Problem) -> Array:
    return softmax_over(problem.mapped64, axis=1)


def _shares(problem: Problem) -> Array:
    return _probabilities(problem) / problem.n_rows


def _distances(problem: Problem) -> Array:
    x = problem.mapped64
    return np.asarray(x - x.max(axis=1, keepdims=True))


def _from_label(problem: Problem) -> Array:
    x, labels = problem.mapped64, np.clip(labels_of(problem), 0, problem.n_classes - 1)
    return np.asarray(x - x[np.arange(len(x)), labels][:, None])


def _logit_of(p: float) -> float:
    return math.log(p / (1 - p)) if 0 < p < 1 else math.copysign(math.inf, p - 0.5)


MEASURES = {
    "distance": Measure("x - max x", _distances, lambda v, top, lse, own, n: top + v),
    "logit": Measure("x", lambda problem: problem.logits64, lambda v, top, lse, own, n: v),
    "probability": Measure("p", _probabilities, lambda v, top, lse, own, n: lse + _logit_of(v)),
    "share": Measure("p/N", _shares, lambda v, top, lse, own, n: lse + _logit_of(v * n)),
    "residual": Measure(
        "|p - t|", lambda p: np.abs(_probabilities(p) - _hot(p)), lambda v, top, lse, own, n: lse + _logit_of(v)
    ),
    "entry": Measure(
        "|p - t|/N",
        lambda p: np.abs(_probabilities(p) - _hot(p)) / p.n_rows,
        lambda v, top, lse, own, n: lse + _logit_of(v * n),
    ),
    "from_label": Measure("x - x_y", _from_label, lambda v, top, lse, own, n: own + v),
}


@dataclass(frozen=True)
class Band:
    """That some entry of a row, not the label's, has a number between two ends; both belong to it.

    beyond_low, beyond_high: the nearest numbers outside at which all was right; infinite where none was seen. own:
    whether only these entries are wrong, or all of the row. with_label: whether the label's entry counts, too.
    """

    measure: str
    low: float
    high: float
    beyond_low: float
    beyond_high: float
    own: bool
    with_label: bool

    def marks(self, problem: Problem) -> Array:
        """Which entries lie in the band, (N, K)."""
        with np.errstate(all="ignore"):
            values = MEASURES[self.measure].value(problem)
            found = (values >= self.low) & (values <= self.high)
        return np.asarray(found if self.with_label else found & ~_hot(problem))

    def rows_of(self, trial: Trial) -> Array:
        """Which rows of a trial have an entry in the band."""
        return np.asarray(self.marks(trial.problem).any(axis=1))

    @property
    def said(self) -> str:
        """In words."""
        noun = MEASURES[self.measure].noun
        if self.low == self.high:
            return f"{noun} is {self.low:.6g}"
        if not math.isfinite(self.beyond_low):
            return f"{noun} is at most {self.high:.4g}"
        if not math.isfinite(self.beyond_high):
            return f"{noun} is {self.low:.4g} or more"
        return f"{noun} is between {self.low:.4g} and {self.high:.4g}"

    def met(self, trial: Trial, rng: Rng) -> Trial:
        """The trial with an entry in the band."""
        low, high = max(self.low, -1e3), min(self.high, 1e3)
        value = low + (high - low) * float(rng.choice([0.0, 0.02, 0.5, 0.98, 1.0, rng.random()]))
        return with_entry(trial, self.measure, value, rng)

    def unmet(self, trial: Trial, rng: Rng) -> Trial:
        """The trial with all entries of the band just beside it."""
        for _ in range(4):
            marks = self.marks(trial.problem)
            if not marks.any():
                break
            x, (i, j) = trial.problem.logits64.copy(), np.argwhere(marks)[0]
            sides = [side for side in (self.beyond_low, self.beyond_high) if math.isfinite(side)]
            row = trial.problem.rows(np.array([i]))
            x[i, j] = _logit(row, self.measure, float(rng.choice(sides)) if sides else 0.0, int(j))
            trial = replace(trial, problem=with_logits(trial.problem, x))
        return trial


def _hot(problem: Problem) -> Array:
    marks = np.zeros(problem.logits.shape, dtype=bool)
    marks[np.arange(problem.n_rows), np.clip(labels_of(problem), 0, problem.n_classes - 1)] = True
    return marks


def _logit(row: Problem, measure: str, value: float, place: int) -> float:
    """The logit that gives one entry of a row a value."""
    x = row.logits64[0]
    others = np.delete(x, place)
    others = others[np.isfinite(others)]
    if not others.size:
        return value
    top = float(others.max())
    lse = top + math.log(float(np.exp(others - top).sum()))
    own = float(x[np.clip(labels_of(row)[0], 0, len(x) - 1)])
    return MEASURES[measure].logit(value, top, lse, own, row.n_rows)


def with_entry(trial: Trial, measure: str, value: float, rng: Rng) -> Trial:
    """The trial with one entry, not the label's, at a value."""
    problem = trial.problem
    if problem.n_classes < 2:
        return trial
    i = int(rng.integers(problem.n_rows))
    label = int(np.clip(labels_of(problem)[i], 0, problem.n_classes - 1))
    j = (label + int(rng.integers(1, problem.n_classes))) % problem.n_classes
    x = problem.logits64.copy()
    row = problem.rows(np.array([i]))
    scaled = value * problem.n_rows if measure in ("share", "entry") else value
    logit = _logit(row, measure, scaled, j)
    if not math.isfinite(logit):
        return trial
    x[i, j] = logit
    return replace(trial, problem=with_logits(problem, x))


def entry_bands(evidence: Sequence[Evidence], effect: Effect) -> Iterator[Band]:
    """Bands that hold the wrong entries, and none that is right, where not all entries of their rows are wrong."""
    outcomes = [one.outcome for one in evidence if _is_looked_at(one.outcome)]
    for measure in MEASURES if outcomes else ():
        yield from _entry_bands(measure, outcomes)


def row_bands(evidence: Sequence[Evidence], effect: Effect) -> Iterator[Band]:
    """Bands of which every wrong row has an entry, and none that is right."""
    wrong = [one for one in evidence if one.is_wrong and _is_looked_at(one.outcome)]
    right = [one for one in evidence if not one.is_wrong and _is_looked_at(one.outcome)]
    for measure in MEASURES:
        yield from _row_bands(measure, wrong, right, effect)


def _is_looked_at(one: Outcome) -> bool:
    return not one.raised and one.problem.logits.size <= MAX_ENTRIES


def _entry_bands(measure: str, outcomes: Sequence[Outcome]) -> Iterator[Band]:
    """Bands of the wrong entries themselves, where others of the row are right; those of labels too, or never."""
    off = _least_off(outcomes)
    parts = [_entries(measure, one, off) for one in outcomes]
    values, labels, wrong, tells = (np.concatenate([part[i] for part in parts]) for i in range(4))
    for with_label in (True, False):
        counted = ~labels | with_label
        found = _outside(values[wrong & counted], values[~wrong & tells & counted])
        if found is not None and (with_label or not (wrong & labels).any()):
            yield Band(measure, *found, own=True, with_label=with_label)
            return


def _entries(measure: str, one: Outcome, off: float) -> tuple[Array, Array, Array, Array]:
    """Of every entry: its value, whether it is the label's, whether it is wrong, and whether it would show."""
    with np.errstate(all="ignore"):
        values = MEASURES[measure].value(one.problem)
        least = np.minimum(np.abs(one.seen.true_gradient), _shares(one.problem))  # of a label's entry p may be wrong
        tells = least * off > SEEN * one.seen.gradient_bound
    tells &= one.problem.rows_with_value[:, None]
    return values.ravel(), _hot(one.problem).ravel(), one.wrong_entries.ravel(), tells.ravel()


def _least_off(outcomes: Sequence[Outcome]) -> float:
    """How far most of the wrong entries are off at least, relatively."""
    with np.errstate(all="ignore"):
        off = [np.abs(one.seen.gradient / one.seen.true_gradient - 1)[one.wrong_entries] for one in outcomes]
    known = np.concatenate([*off, np.zeros(0)])
    known = np.where(np.isnan(known), 1.0, known)
    return float(np.quantile(known, 0.1)) if known.size else 0.0


Ends = tuple[float, float, float, float]


def _outside(wrong: Array, right: Array) -> Ends | None:
    """The ends of the wrong values, and the nearest right ones beyond; None where right ones lie between."""
    wrong, right = wrong[np.isfinite(wrong)], right[np.isfinite(right)]
    if not wrong.size or not right.size:
        return None
    low, high = float(wrong.min()), float(wrong.max())
    if ((right >= low) & (right <= high)).any():
        return None
    below, above = right[right < low], right[right > high]
    return low, high, float(below.max(initial=-np.inf)), float(above.min(initial=np.inf))


def _row_bands(measure: str, wrong: Sequence[Evidence], right: Sequence[Evidence], effect: Effect) -> Iterator[Band]:
    """Bands of which every wrong row has an entry, and no right one that would show it."""
    known = np.concatenate([np.zeros(0), *(_values(measure, one, one.telling(effect)) for one in right)])
    known = np.concatenate([known, *(_values(measure, one, ~one.blamed & one.telling(effect)) for one in wrong)])
    known = np.unique(known[np.isfinite(known)])
    rows = [values for one in wrong for values in _each_row(measure, one)]
    if not rows or not known.size:
        return
    gaps = set(range(len(known) + 1))
    for values in rows:
        places = np.searchsorted(known, values)
        inside = (places == len(known)) | (known[np.minimum(places, len(known) - 1)] != values)
        gaps &= set(places[inside].tolist())
    for gap in sorted(gaps)[:3]:
        low = float(known[gap - 1]) if gap else -math.inf
        high = float(known[gap]) if gap < len(known) else math.inf
        sure = [values[(values > low) & (values < high)] for values in rows]
        alone = [float(one[0]) for one in sure if len(np.unique(one)) == 1]
        if alone:
            yield Band(measure, min(alone), max(alone), low, high, own=False, with_label=True)


def _values(measure: str, one: Evidence, rows: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(MEASURES[measure].value(one.outcome.problem)[one.rows[rows]].ravel())


def _each_row(measure: str, one: Evidence) -> Iterator[Array]:
    """The finite values of every row that is to blame."""
    if not one.outcome.wrong_rows.any() and one.outcome.problem.n_rows > 1:
        return
    with np.errstate(all="ignore"):
        values = MEASURES[measure].value(one.outcome.problem)[one.rows[one.blamed]]
    yield from (row[np.isfinite(row)] for row in values)
