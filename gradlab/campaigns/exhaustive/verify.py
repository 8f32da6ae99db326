"""A certificate once more: do its largest errors hold, by ball arithmetic, and are they still what is observed?

Bits of an answer may rightly be others on another processor, or with other versions: there, what is observed now is
not compared with what was, but must be no further off than the certificate says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradlab.campaigns.exhaustive.certificate import Certificate, Outcome, description_of, machine_of
from gradlab.campaigns.exhaustive.evaluation import FaultError, SweepTarget, evaluate_batch, one_by_one, rows_of
from gradlab.campaigns.exhaustive.pieces import TargetSpec, load_target, round_up
from gradlab.campaigns.exhaustive.sources import same_contents
from gradlab.campaigns.exhaustive.tally import MEAN_LOSS, QUANTITIES, Quantity, Tally, Worst, sizes_of
from gradlab.campaigns.exhaustive.truth import margins_of, per_ulp
from gradlab.oracle.enclosure import Enclosures, enclose, enclose_by_balls
from gradlab.oracle.ulp import absolute_error, ulp_exponent
from gradlab.problems.dtypes import format_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from gradlab.targets.load import TargetError, load

CERTAIN_TO = 2.0**-15  # ULP: more than ULP_ERROR, and than what the truth of a mean is off by
RELATIVE = 2.0**-40  # of an error: more than the roundings of a large one


_SIDES = ("the maximum", "the other class")


@dataclass(frozen=True)
class Finding:
    """What became of one largest error; faults: why it does not hold, none if it does.

    note: what is observed here instead, where another machine or version may rightly answer otherwise.
    """

    name: str
    quantity: Quantity
    worst: Worst | None
    faults: tuple[str, ...]
    note: str | None = None


def verify_errors(certificate: Certificate) -> Iterator[Finding]:
    """Every largest error, verified. Raises TargetError where an implementation does not load any more."""
    for outcome in certificate.outcomes:
        target = target_of_outcome(outcome)
        lenient = any(not one.startswith("digests ") for one in elsewhere(certificate, outcome))
        for quantity, tally in outcome.tallies.items():
            faults = [*_faults_of_counts(tally, quantity, certificate), *faults_of_pieces(outcome, quantity)]
            name, note = target.implementation.name, None
            if tally.worst is not None:
                faults += _faults_by_oracle(quantity, tally.worst)
                fault, note = _by_asking(target, quantity, tally.worst, lenient)
                faults += [fault] if fault else []
            if faults or tally.worst is not None:
                yield Finding(name, quantity, tally.worst, tuple(faults), note)


def elsewhere(certificate: Certificate, outcome: Outcome) -> Iterator[str]:
    """What is other here than where the certificate was made, and may rightly change bits of an answer.

    The sources are no part of it: a certificate is of these and of no others. Nor is the checker: what would make other
    digests has a number of its own. What a certificate does not say counts as the same.
    """
    for name, value in machine_of().items():
        was = certificate.machine.get(name, value)
        if name not in ("gradlab", "checker") and was != value:
            yield f"{name} is {value}, was {was}"
    was = outcome.description.get("packages", {})
    for name, value in description_of(target_of_outcome(outcome))["packages"].items():
        if name != "numpy" and was.get(name, value) != value:
            yield f"{name} is {value}, was {was[name]}"


def changes(certificate: Certificate) -> Iterator[str]:
    """What is not what it was when the certificate was made: another machine, other sources, other answers."""
    for name, value in machine_of().items():
        was = certificate.machine.get(name, value if name == "digests" else None)  # of no account without pieces
        if was != value:
            yield f"{name} is {value}, was {was}"
    for outcome in certificate.outcomes:
        for name, value in description_of(target_of_outcome(outcome)).items():
            described: Any = outcome.description.get(name, value)
            if not (same_contents(described, value) if name == "sources" else described == value):
                yield f"{name} of {outcome.description['target']} has changed"


def target_of_outcome(outcome: Outcome) -> SweepTarget:
    """The implementation of a certificate, asked as it was then. Raises TargetError."""
    named, reduction, order = (outcome.description[name] for name in ("target", "reduction", "order"))
    if len(found := load(named, {}, ("float32",))) != 1:
        raise TargetError(f"{named} must be one implementation, is {len(found)}")
    if reduction not in found[0].claims.reduction:
        raise TargetError(f"{named} does not claim the reduction {reduction}")
    return load_target(TargetSpec(named, reduction, order))


def name_of(quantity: Quantity) -> str:
    """The quantity in words."""
    label, part = quantity
    return f"{part}, label at {_SIDES[label]}"


def error_by_oracle(quantity: Quantity, worst: Worst) -> float:
    """The error of what was observed, in ULP, by ball arithmetic (double-double for a mean)."""
    label, part = quantity
    if part == MEAN_LOSS:
        logits, labels = rows_of("C", label, worst.batch)
        truth, below = enclose(Problem(logits, labels)).loss, 0.0
    else:
        margin = float(margins_of(range(worst.bits, worst.bits + 1))[0])
        row = Problem(np.array([[margin, 0]], dtype=np.float32), np.array([label]), Objective("none"))
        answers = enclose_by_balls(row)
        column = label if part == "target" else 1 - label
        truth = answers.loss[0] if part == "loss" else answers.gradient[0, column]
        below = 0.0 if label == 0 else margin if part == "loss" else 0.5  # no larger than the value, see Truth
    return float(absolute_error(np.array(worst.observed), truth)) / _ulp(truth, below)


def _ulp(truth: Enclosures, below: float) -> float:
    smallest = float(np.ldexp(1.0, int(ulp_exponent(truth, format_of("float32")))))
    return max(smallest, 1 / float(per_ulp(np.array([below]))[0]))


def _faults_by_oracle(quantity: Quantity, worst: Worst) -> Iterator[str]:
    exact = error_by_oracle(quantity, worst)
    if exact != worst.ulp and not abs(exact - worst.ulp) <= CERTAIN_TO + RELATIVE * exact:
        yield f"the oracle says {exact!r} ULP"


def _faults_of_counts(tally: Tally, quantity: Quantity, certificate: Certificate) -> Iterator[str]:
    if quantity[1] in ("target", "others") and tally.count != certificate.n_done:
        yield f"{tally.count} errors are counted, of {certificate.n_done} margins"
    largest = max((i for i, count in enumerate(tally.sizes) if count), default=None)
    expected = None if tally.worst is None else sizes_of(np.array([tally.worst.ulp])).index(1)
    if largest != expected:
        yield "the sizes counted are not those of the largest error"


def faults_of_pieces(outcome: Outcome, quantity: Quantity) -> Iterator[str]:
    """The largest error must be that of the piece where it is, and of all pieces; without pieces there is none."""
    if not outcome.evidence:
        return
    column, worst = QUANTITIES.index(quantity), outcome.tallies[quantity].worst
    held = {piece: one.largest[column] for piece, one in outcome.evidence.items()}
    largest = max((one for one in held.values() if one is not None), default=None)
    expected = None if worst is None else round_up(worst.ulp)
    if largest != expected:
        yield f"the largest error of all pieces is {largest} ULP"
    if worst is not None and expected not in [one for piece, one in held.items() if worst.bits in piece]:
        yield "the piece where it is has another largest error"


def _by_asking(target: SweepTarget, quantity: Quantity, worst: Worst, lenient: bool) -> tuple[str | None, str | None]:
    """What is wrong with what the implementation answers now, and what is other but may be, if lenient."""
    try:
        again = observe_again(target, quantity, worst)
    except (FaultError, ValueError) as error:
        return f"it cannot be asked again: {error}", None
    if again.hex() == worst.observed.hex():
        return None, None
    said = f"the implementation now answers {again.hex()}, not {worst.observed.hex()}"
    if not lenient:
        return said, None
    error_now = error_by_oracle(quantity, replace(worst, observed=again))
    if error_now <= worst.ulp + CERTAIN_TO + RELATIVE * worst.ulp:
        return None, f"{said}: {error_now:.6g} ULP, on another machine or with other versions"
    return f"{said}: {error_now:.6g} ULP, more than the certificate says", None


def observe_again(target: SweepTarget, quantity: Quantity, worst: Worst) -> float:
    """What the implementation answers now, in the same call. Raises FaultError, and ValueError for other batches."""
    (label, part), batch = quantity, worst.batch
    place = batch.bits.index(worst.bits)
    if batch.n_rows == 1:
        losses, gradient = one_by_one(target, label, margins_of(batch.bits))
    else:
        losses, gradient = evaluate_batch(target, label, batch)
        losses = losses / batch.n_rows if target.reduction == "sum" else losses
        gradient = gradient.astype(np.float64) * (batch.n_rows if target.reduction == "mean" else 1)
    if part == MEAN_LOSS:
        return float(losses)
    if part == "loss":
        return float(losses[place])
    return float(gradient[place, label if part == "target" else 1 - label])
