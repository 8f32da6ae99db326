"""The chart of errors against the margin, with what a certificate says of every margin there is."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from pathlib import Path

import numpy as np

from gradlab.campaigns.exhaustive.certificate import coverage
from gradlab.campaigns.exhaustive.evaluation import PROBES
from gradlab.campaigns.exhaustive.lookup import Certified, certified
from gradlab.campaigns.exhaustive.tally import QUANTITIES, Quantity
from gradlab.campaigns.exhaustive.truth import END
from gradlab.campaigns.exhaustive.verify import CERTAIN_TO, faults_of_pieces
from gradlab.evaluation.call import made_for
from gradlab.harness.curves import Covered, CoveredPart, Curve
from gradlab.harness.drawn import CURVES
from gradlab.harness.run import Run
from gradlab.measure.accuracy import PARTS

LABEL, DTYPE, AXIS = 0, "float32", "margin"  # what both the chart and a certificate are of: logits (m, 0)


def with_certificate(run: Run, folder: Path, here: Path) -> Run:
    """The run, its chart against the margin with what a certificate in the folder says of this implementation, if any.

    folder: by its path from `here`, with which the certificate is named; it need not exist.
    """
    if not any(_is_coverable(one) for one in run.drawn.curves):
        return run
    with made_for(CURVES):
        found = certified(run.implementation, here / folder)
    if found is None:
        return run
    found = replace(found, path=folder / found.path.name)
    curves = tuple(cover(one, found) if _is_coverable(one) else one for one in run.drawn.curves)
    return replace(run, drawn=replace(run.drawn, curves=curves))


def cover(curve: Curve, found: Certified) -> Curve:
    """The curve with what a certificate says of each of its parts.

    Nothing of a part of which not every margin was tried, or of which the certificate contradicts itself or this curve.
    """
    parts = {part: _covered_part(curve, part, found) for part in PARTS if _holds(curve, part, found)}
    if not parts:
        return curve
    machine, end = found.certificate.machine, _margin(END)
    made_with = f"NumPy {machine['numpy']} on {machine['processor']}"
    covered = Covered(str(found.path), made_with, found.certificate.n_done, len(PROBES), end, parts)
    return replace(curve, covered=covered)


def _is_coverable(curve: Curve) -> bool:
    return curve.axis == AXIS and curve.dtype == DTYPE


def _holds(curve: Curve, part: str, found: Certified) -> bool:
    """Whether a certificate covers every margin of a part, is consistent, and no error of the curve is beyond it."""
    quantity = Quantity(LABEL, part)
    tally = found.outcome.tallies[quantity]
    if coverage(found.certificate, quantity, tally) != "exhaustive" or tally.worst is None:
        return False
    if not found.outcome.evidence or any(faults_of_pieces(found.outcome, quantity)):
        return False
    largest = _largest_by_piece(part, found)
    starts = [first for first, _ in largest]
    return all(
        error <= largest[bisect_right(starts, value) - 1][1] + CERTAIN_TO
        for value, error in zip(curve.values, curve.parts[part].errors, strict=True)
        if value < _margin(END)
    )


def _covered_part(curve: Curve, part: str, found: Certified) -> CoveredPart:
    worst = found.outcome.tallies[Quantity(LABEL, part)].worst
    assert worst is not None  # `_holds`
    margins, largest = [curve.values[0]], [0.0]
    for first, ulp in _largest_by_piece(part, found):
        if ulp > largest[-1]:
            if first > margins[-1]:
                margins.append(first)
                largest.append(ulp)
            largest[-1] = ulp
    return CoveredPart(tuple(margins), tuple(largest), worst.ulp, _margin(worst.bits))


def _largest_by_piece(part: str, found: Certified) -> list[tuple[float, float]]:
    """The first margin of each piece, in order, and the largest error there, in ULP."""
    column = QUANTITIES.index(Quantity(LABEL, part))
    evidence = found.outcome.evidence
    return [(_margin(piece.start), evidence[piece].largest[column] or 0.0) for piece in found.certificate.pieces]


def _margin(bits: int) -> float:
    return float(np.uint32(bits).view(np.float32))
