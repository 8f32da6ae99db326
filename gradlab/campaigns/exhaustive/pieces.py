"""The margins in pieces: what is walked, kept and walked again at a time, the same whichever others are walked too."""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from functools import cache

from gradlab.campaigns.exhaustive.digest import Digest
from gradlab.campaigns.exhaustive.evaluation import CHUNK, Subject, walked
from gradlab.campaigns.exhaustive.tally import QUANTITIES, Tallies, all_merged, nothing_yet
from gradlab.campaigns.exhaustive.truth import truth_of
from gradlab.targets.load import load

_SLOW = 0x42800000  # 64: from here on an implementation may have to be asked margin by margin, and pieces are small
_PIECE, _SMALL_PIECE = 2**19, 2**16  # a second or a few at most; the more pieces, the more of them are walked again
_THREE_DIGITS, _HUNDREDTH = Context(prec=3, rounding=ROUND_CEILING), Decimal("0.01")


@dataclass(frozen=True)
class Asked:
    """How an implementation is loaded and asked, as `Subject` has it."""

    target: str
    reduction: str
    order: str


@dataclass(frozen=True)
class Examined:
    """One implementation on one piece: the digest of its answers, and the errors found."""

    digest: str
    tallies: Tallies


@dataclass(frozen=True)
class Evidence:
    """What a certificate holds of a piece: the digest, and the largest error of every quantity, or None without any.

    In ULP, `rounded_up`: the largest of all pieces is that of the whole, rounded so.
    """

    digest: str
    largest: tuple[float | None, ...]


Found = tuple[range, list[Examined]]


def pieces_of(margins: range) -> Iterator[range]:
    """The margins in pieces of up to a few seconds."""
    first = 0
    while first < len(margins):
        size = _PIECE if margins[first] < _SLOW else _SMALL_PIECE
        yield margins[first : first + size]
        first += size


def examined(subjects: Sequence[Subject], piece: range) -> list[Examined]:
    """Each on a piece; the truth is computed once for all, the calls are those of this piece. Raises FaultError."""
    found, digests = [nothing_yet() for _ in subjects], [Digest() for _ in subjects]
    for first in range(0, len(piece), CHUNK):
        bits = piece[first : first + CHUNK]
        truth = truth_of(bits)
        for i, subject in enumerate(subjects):
            found[i] = all_merged(found[i], walked(subject, bits, truth, digests[i]))
    return [Examined(digest.hexadecimal(), one) for digest, one in zip(digests, found, strict=True)]


def evidence_of(found: Examined) -> Evidence:
    """What a certificate holds of this."""
    worsts = [found.tallies[quantity].worst for quantity in QUANTITIES]
    return Evidence(found.digest, tuple(None if worst is None else rounded_up(worst.ulp) for worst in worsts))


def rounded_up(ulp: float) -> float:
    """An error, rounded up to a hundredth, or to three digits from 10 on; never in another order than the errors."""
    exact = Decimal(ulp)
    return float(exact.quantize(_HUNDREDTH, ROUND_CEILING) if ulp < 10 else _THREE_DIGITS.plus(exact))


def examined_over(
    subjects: Sequence[Subject], pieces: Sequence[range], n_processes: int
) -> Generator[Found, None, None]:
    """Every piece, as it is done, over processes. Raises FaultError."""
    if n_processes == 1:
        yield from ((piece, examined(subjects, piece)) for piece in pieces)
        return
    asked = tuple(Asked(one.implementation.target, one.reduction, one.order) for one in subjects)
    with ProcessPoolExecutor(n_processes, initializer=_leave_interrupts_to_the_parent) as pool:
        try:
            running = {pool.submit(_in_a_process, asked, piece): piece for piece in pieces}
            for future in as_completed(running):
                yield running[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def subject_again(asked: Asked) -> Subject:
    """An implementation, asked as it was. Raises TargetError."""
    (one,) = load(asked.target, {}, ("float32",))
    return Subject(one, asked.reduction, asked.order)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _in_a_process(asked: tuple[Asked, ...], piece: range) -> list[Examined]:
    return examined(_loaded(asked), piece)


@cache
def _loaded(asked: tuple[Asked, ...]) -> list[Subject]:
    return [subject_again(one) for one in asked]
