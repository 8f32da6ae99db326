"""Pieces of a certificate swept again, chosen at random: are the answers, and the largest errors, what it holds?"""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from gradlab.campaigns.exhaustive.certificate import Certificate, Outcome
from gradlab.campaigns.exhaustive.pieces import (
    Evidence,
    PieceResult,
    pieces_of,
    round_up,
    sweep_pieces,
)
from gradlab.campaigns.exhaustive.tally import QUANTITIES, Quantity, Tallies, merge_all, nothing_yet
from gradlab.campaigns.exhaustive.verify import CERTAIN_TO, RELATIVE, elsewhere, name_of, target_of_outcome

MARGINS = 2**22  # swept again unless all are


@dataclass(frozen=True)
class Choice:
    """The pieces to sweep again, out of how many; seed: what they were drawn with, None for all of them."""

    pieces: tuple[range, ...]
    n_pieces: int
    seed: int | None

    def chance_missed(self, n_false: int, n_compared: int) -> float:
        """The probability that none of n_false false pieces is among n_compared chosen ones, chosen at random."""
        n_right = self.n_pieces - n_false
        return float(Fraction(math.comb(n_right, n_compared), math.comb(self.n_pieces, n_compared)))


@dataclass
class Again:
    """Of one implementation: how many pieces gave the same digest, and how many one that may differ here.

    here: what is different here, so that a digest may differ. faults: what does not hold.
    """

    name: str
    here: tuple[str, ...]
    n_same: int = 0
    n_other: int = 0
    faults: list[str] = field(default_factory=list)
    tallies: Tallies = field(default_factory=nothing_yet)


def choose(certificate: Certificate, seed: int | None) -> Choice:
    """Pieces of some MARGINS margins, each set of so many as likely as any other; all of them without a seed."""
    done = certificate.pieces or tuple(piece for one in certificate.done for piece in pieces_of(one))
    if seed is None or certificate.n_done <= MARGINS:
        return Choice(done, len(done), None)
    n = min(len(done), math.ceil(MARGINS * len(done) / certificate.n_done))
    drawn = random.Random(seed).sample(done, n)
    return Choice(tuple(drawn), len(done), seed)


def sweep_again(
    certificate: Certificate, choice: Choice, n_processes: int, watch: Callable[[int, int], None]
) -> list[Again]:
    """What became of the chosen pieces, for each implementation. Raises FaultError, and TargetError."""
    targets = [target_of_outcome(one) for one in certificate.outcomes]
    found = [Again(one.description["name"], tuple(elsewhere(certificate, one))) for one in certificate.outcomes]
    done, total = 0, sum(map(len, choice.pieces))
    with contextlib.closing(sweep_pieces(targets, choice.pieces, n_processes)) as swept:
        for piece, of_each in swept:
            for again, outcome, now in zip(found, certificate.outcomes, of_each, strict=True):
                _compare(again, outcome, piece, now)
            done += len(piece)
            watch(done, total)
    for again, outcome in zip(found, certificate.outcomes, strict=True):
        again.faults += _faults_of_counts(again, outcome, len(choice.pieces) == choice.n_pieces)
    return found


def _compare(again: Again, outcome: Outcome, piece: range, now: PieceResult) -> None:
    held = outcome.evidence.get(piece)
    same = held is not None and held.digest == now.digest
    comparable = held is not None and (same or not again.here)
    faults = list(_faults_of_piece(held, now) if held and comparable else _faults_of_claim(outcome, now))
    if comparable or not (held or again.here):
        again.tallies = merge_all(again.tallies, now.tallies)
    again.n_same += same
    again.n_other += not comparable
    again.faults += [f"piece {piece.start:#010x} to {piece.stop:#010x}: {fault}" for fault in faults]


def _faults_of_piece(held: Evidence, now: PieceResult) -> Iterator[str]:
    if held.digest != now.digest:
        yield f"the digest of its answers is {now.digest}, the certificate holds {held.digest}"
    for quantity, largest in zip(QUANTITIES, held.largest, strict=True):
        worst = now.tallies[quantity].worst
        if worst is None or largest is None:
            fits = worst is None and largest is None
        else:
            slack = CERTAIN_TO + RELATIVE * worst.ulp if math.isfinite(worst.ulp) else 0.0
            fits = round_up(max(worst.ulp - slack, 0.0)) <= largest <= round_up(worst.ulp + slack)
        if not fits:
            found = None if worst is None else worst.ulp
            yield f"the largest error of the {name_of(quantity)}, is {found} ULP, the certificate holds {largest}"


def _faults_of_claim(outcome: Outcome, now: PieceResult) -> Iterator[str]:
    """Where answers cannot be compared: whatever is larger than the largest error of the whole certificate."""
    for quantity in QUANTITIES:
        worst, claimed = now.tallies[quantity].worst, _claim(outcome, quantity)
        if worst is not None and not worst.ulp <= claimed + CERTAIN_TO + RELATIVE * claimed:
            yield (
                f"the largest error of the {name_of(quantity)}, is {worst.ulp} ULP, more than the certificate's"
                f" {claimed} of all pieces"
            )


def _claim(outcome: Outcome, quantity: Quantity) -> float:
    worst = outcome.tallies[quantity].worst
    return 0.0 if worst is None else worst.ulp


def _faults_of_counts(again: Again, outcome: Outcome, all_walked: bool) -> Iterator[str]:
    """Of the sizes of what was compared: no more of any than are counted in all, and as many if that is all."""
    everything = all_walked and (again.n_other == 0 or not (outcome.evidence or again.here))
    for quantity in QUANTITIES:
        counted, found = outcome.tallies[quantity].sizes, again.tallies[quantity].sizes
        if everything and found != counted:
            yield f"the errors of the {name_of(quantity)}, are counted otherwise"
        elif any(few > many for few, many in zip(found, counted, strict=True)):
            yield f"the errors of the {name_of(quantity)}, are more of one size than are counted in all"


def odds(choice: Choice, again: Sequence[Again]) -> tuple[int, float, float]:
    """How many pieces were compared for each, and the probabilities that one false piece, or a tenth, pass unseen."""
    n = min(one.n_same for one in again)
    return n, choice.chance_missed(1, n), choice.chance_missed(math.ceil(choice.n_pieces / 10), n)
