"""An implementation on a run of margins: in which calls it is asked, and how far off each of its answers is.

An implementation that gives a loss for each row (reduction "none") is asked once for all rows, and every answer is
its own. One that gives their mean divides the gradient by the number of rows, n: with n a power of two that is exact
as long as the quotient is a normal number, and multiplying by n undoes it. So n is CHUNK wherever that is so, and less
from M = 78 on, down to 1 from M = 87.33 on, where the entries themselves are subnormal. Of the loss there is then only
the mean, but where n is 1: one margin in LOSS_EVERY is asked about once more, alone. A sum is not divided by anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gradlab.campaigns.exhaustive.digest import Digest
from gradlab.campaigns.exhaustive.tally import MEAN_LOSS, Batch, Quantity, Tallies, Tally, Worst, nothing_yet, sizes_of
from gradlab.campaigns.exhaustive.truth import LOWERED, Truth, margins_of, per_ulp
from gradlab.evaluation.call import Call, Implementation, answer_to_call, perform
from gradlab.evaluation.foreign import describe_error, pair_of
from gradlab.evaluation.keywords import keywords_for
from gradlab.oracle.intervals import Array
from gradlab.problems.objective import Objective

CHUNK = 2**13  # rows at a time: 64 KiB for an array of float32 logits, which stays in the second cache level
LOSS_EVERY = 2**11
PROBES = range(0x2000, 0x42D00000, 0x104000)  # 1028 margins
_SLACK = 2.0**-10  # 2^14 ULP of an entry: how far off it may be and its quotient still be normal


class FaultError(Exception):
    """What an implementation did instead of answering: one line, for people."""


@dataclass(frozen=True, eq=False)
class SweepTarget:
    """An implementation, and how it is asked: the reduction, and the order of the logits in memory, "C" or "F"."""

    implementation: Implementation
    reduction: str
    order: Any = "C"


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the answers at some of the margins, float64, and its errors in ULP, both of shape (n,).

    bits: of all margins; places: of these among them, (n,); calls: as in `_Answers`, what none covers was a call of its
    own.
    """

    observed: Array
    errors: Array
    bits: range
    places: Array
    calls: list[tuple[slice, int]]

    def tally(self) -> Tally:
        """How many errors of which size, and the largest."""
        if not self.errors.size:
            return Tally()
        worst = int(np.argmax(self.errors))
        place = int(self.places[worst])
        covering = (
            Batch(self.bits[places], n_rows)
            for places, n_rows in self.calls
            if n_rows > 1 and places.start <= place < places.stop
        )
        batch = next(covering, Batch(self.bits[place : place + 1], 1))
        largest = Worst(float(self.errors[worst]), self.bits[place], float(self.observed[worst]), batch)
        return Tally(sizes_of(self.errors), largest)


class _Answers(NamedTuple):
    """The answers for n margins and one label: losses, targets and others, shape (n,), float64, and for which margins
    the loss is known, boolean. calls: the places among the margins and the number of rows of each call, 1 for a call
    per margin; means: the mean losses, where that is what came back.
    """

    losses: Array
    targets: Array
    others: Array
    known: Array
    calls: list[tuple[slice, int]]
    means: list[float]


def sweep_target(implementation: Implementation) -> SweepTarget:
    """How to ask: for each row's own loss if it claims that. Raises FaultError.

    The logits are stored class by class, "F", which is several times faster with two classes, unless that is refused
    or gives other bits at PROBES.
    """
    reduction = next(one for one in ("none", "sum", "mean") if one in implementation.claims.reduction)
    rows = SweepTarget(implementation, reduction)
    expected = answers_at_probes(rows)
    try:
        same = answers_at_probes(SweepTarget(implementation, reduction, "F")) == expected
    except FaultError:
        same = False
    return SweepTarget(implementation, reduction, "F" if same else "C")


def answers_at_probes(target: SweepTarget) -> bytes:
    """The answers at PROBES, bit for bit."""
    found = b""
    for label in (0, 1):
        loss, gradient = evaluate_batch(target, label, Batch(PROBES, len(PROBES)))
        found += np.ascontiguousarray(loss).tobytes() + np.ascontiguousarray(gradient).tobytes()
    return found


def evaluate_batch(target: SweepTarget, label: int, batch: Batch) -> tuple[Array, Array]:
    """The loss, () or (n_rows,), and the gradient (n_rows, 2) of one call; raises FaultError where there is none."""
    logits, labels = rows_of(target.order, label, batch)
    answer = answer_to_call(target.implementation, Call(logits, labels, _keywords(target)), target.reduction)
    if answer.loss is None or answer.gradient is None:
        raise FaultError(_fault_line(target, batch, str(answer.fault)))
    return answer.loss, answer.gradient


def sweep_chunk(target: SweepTarget, bits: range, truth: Truth, digest: Digest | None = None) -> Tallies:
    """The errors on the margins with these bits, at most CHUNK of them, for both labels. Raises FaultError.

    digest: takes in every answer as it came.
    """
    digest = digest or Digest()
    found = dict(nothing_yet())
    every = np.arange(len(bits))
    for label in (0, 1):
        answers = _answers(target, label, bits, digest)
        entries, size, known = truth.entries[label], truth.per_ulp_of_entries[label], answers.known
        target_entries = Part(answers.targets, _errors(answers.targets, -entries, size), bits, every, answers.calls)
        other_entries = Part(answers.others, _errors(answers.others, entries, size), bits, every, answers.calls)
        values = answers.losses[known]
        errors = _errors(values, truth.losses[label][known], truth.per_ulp_of_losses[label][known])
        calls = answers.calls if target.reduction == "none" else []  # otherwise each is of a call of its own
        losses = Part(values, errors, bits, every[known], calls)
        found[Quantity(label, "target")] = target_entries.tally()
        found[Quantity(label, "others")] = other_entries.tally()
        found[Quantity(label, "loss")] = losses.tally()
        found[Quantity(label, MEAN_LOSS)] = _tally_of_means(answers, bits, truth.losses[label])
    return found


def _answers(target: SweepTarget, label: int, bits: range, digest: Digest) -> _Answers:
    n = len(bits)
    losses, gradient, known = np.empty(n), np.empty((n, 2), order="F"), np.zeros(n, dtype=bool)
    calls, means = list(_calls(target, label, bits)), []
    for places, n_rows in calls:
        if n_rows == 1:
            losses[places], gradient[places] = one_by_one(target, label, margins_of(bits[places]))
            known[places] = True
            digest.add(losses[places], gradient[places])
            continue
        loss, rows = evaluate_batch(target, label, Batch(bits[places], n_rows))
        digest.add(loss, rows)
        gradient[places] = rows[: len(gradient[places])]
        if target.reduction == "none":
            losses[places] = loss
            known[places] = True
        else:
            means.append(float(loss) / (n_rows if target.reduction == "sum" else 1))
        if target.reduction == "mean":
            gradient[places] *= n_rows
    alone = np.arange(0, n, max(1, LOSS_EVERY // bits.step))
    alone = alone[~known[alone]]
    answers_alone = one_by_one(target, label, margins_of(bits)[alone])
    digest.add(*answers_alone)
    losses[alone] = answers_alone[0]
    known[alone] = True
    return _Answers(losses, gradient[:, label], gradient[:, 1 - label], known, calls, means)


def _calls(target: SweepTarget, label: int, bits: range) -> Iterator[tuple[slice, int]]:
    """The places of the margins of each call, and the number of its rows; from one row on, a call for each margin."""
    n, start = len(bits), 0
    if target.reduction == "none":
        yield slice(0, n), max(n, 2)
        return
    n_rows = 1 << (n - 1).bit_length()
    margins = margins_of(bits)
    divided = target.reduction == "mean" and label == 0
    while start < n:
        while divided and n_rows > 1 and margins[min(start + n_rows, n) - 1] > _farthest(n_rows):
            n_rows //= 2
        stop = n if n_rows == 1 else min(start + n_rows, n)
        yield slice(start, stop), n_rows
        start = stop


def _farthest(n_rows: int) -> float:
    """A margin up to which exp(-M) / (1 + exp(-M)) / n_rows is a normal number, and what is near to it too."""
    return (126 - math.log2(n_rows)) * math.log(2) - _SLACK


def one_by_one(target: SweepTarget, label: int, margins: Array) -> tuple[Array, Array]:
    """The losses (n,) and gradients (n, 2), float64, of a call for each margin; raises FaultError."""
    losses, gradient = np.empty(len(margins)), np.empty((len(margins), 2))
    keywords, place = _keywords(target), 0

    def all_of_them(logits: Array, labels: Array) -> None:
        nonlocal place
        for place, row in enumerate(logits):
            pair = pair_of(target.implementation.function(row[None].copy(), labels.copy(), **keywords))
            shapes = None if pair is None else tuple(map(np.shape, pair))
            if pair is None or shapes != (((1,) if target.reduction == "none" else ()), (1, 2)):
                raise ValueError(f"must return (loss, gradient) of one row, got shapes {shapes}")
            losses[place : place + 1], gradient[place : place + 1] = pair

    logits = np.stack([margins, np.zeros_like(margins)], axis=1)
    error = perform(all_of_them, Call(logits, np.array([label]), {})).error
    if error is not None:
        bits = int(margins[place : place + 1].view(np.uint32)[0])
        raise FaultError(_fault_line(target, Batch(range(bits, bits + 1), 1), f"raised {describe_error(error)}"))
    return losses, gradient


def rows_of(order: Any, label: int, batch: Batch) -> tuple[Array, Array]:
    """The logits (n_rows, 2), float32, of a batch, stored in this order, and the labels."""
    logits = np.zeros((batch.n_rows, 2), dtype=np.float32, order=order)
    logits[: len(batch.bits), 0] = margins_of(batch.bits)
    logits[len(batch.bits) :, 0] = logits[len(batch.bits) - 1, 0]
    return logits, np.full(batch.n_rows, label)


def _keywords(target: SweepTarget) -> dict[str, Any]:
    objective = Objective(target.reduction)
    return keywords_for(target.implementation.claims, objective, np.dtype(np.float32))


def _fault_line(target: SweepTarget, batch: Batch, fault: str) -> str:
    where = f"bits {batch.bits[0]:#010x} to {batch.bits[-1]:#010x}, {batch.n_rows} rows"
    return f"{target.implementation.name} does not answer (margins with the {where}): {fault}"


def _errors(observed: Array, truth: Array, size: Array) -> Array:
    """|observed - truth| / ULP, inf for NaN."""
    errors = observed - truth
    np.abs(errors, out=errors)
    errors *= size
    if np.isnan(errors.max(initial=0.0)):
        errors[np.isnan(errors)] = np.inf
    return errors


def _tally_of_means(answers: _Answers, bits: range, losses: Array) -> Tally:
    """The errors of the mean losses. A sum of n <= 2^13 is right to 2^-40 of itself, that is to 2^-16 ULP."""
    calls = [(places, n_rows) for places, n_rows in answers.calls if n_rows > 1]
    if not answers.means:
        return Tally()
    sums = [losses[p].sum() + (n_rows - (p.stop - p.start)) * losses[p.stop - 1] for p, n_rows in calls]
    truth = np.array([total / n_rows for total, (_, n_rows) in zip(sums, calls, strict=True)])
    errors = _errors(np.array(answers.means), truth, per_ulp(truth * LOWERED))
    worst = int(np.argmax(errors))
    batch = Batch(bits[calls[worst][0]], calls[worst][1])
    return Tally(sizes_of(errors), Worst(float(errors[worst]), batch.bits[0], answers.means[worst], batch))
