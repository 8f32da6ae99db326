"""The margins in pieces: what is swept, kept and swept again at a time, the same whichever others are swept too."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from functools import cache, partial

from gradlab.campaigns.exhaustive.digest import Digest
from gradlab.campaigns.exhaustive.evaluation import CHUNK, SweepTarget, sweep_chunk
from gradlab.campaigns.exhaustive.tally import QUANTITIES, Tallies, merge_all, nothing_yet
from gradlab.campaigns.exhaustive.truth import truth_of
from gradlab.campaigns.runner import over_pieces
from gradlab.targets.load import load

_SLOW = 0x42800000  # 64: from here on an implementation may have to be asked margin by margin, and pieces are small
_PIECE, _SMALL_PIECE = 2**19, 2**16  # a second or a few at most; the more pieces, the more of them are swept again
_THREE_DIGITS, _HUNDREDTH = Context(prec=3, rounding=ROUND_CEILING), Decimal("0.01")


@dataclass(frozen=True)
class TargetSpec:
    """How an implementation is loaded and asked, as `SweepTarget` has it."""

    target: str
    reduction: str
    order: str


@dataclass(frozen=True)
class PieceResult:
    """One implementation on one piece: the digest of its answers, and the errors found."""

    digest: str
    tallies: Tallies


@dataclass(frozen=True)
class Evidence:
    """What a certificate holds of a piece: the digest, and the largest error of every quantity, or None without any.

    In ULP, `round_up`: the largest of all pieces is that of the whole, rounded so.
    """

    digest: str
    largest: tuple[float | None, ...]


Found = tuple[range, list[PieceResult]]


def pieces_of(margins: range) -> Iterator[range]:
    """The margins in pieces of up to a few seconds."""
    first = 0
    while first < len(margins):
        size = _PIECE if margins[first] < _SLOW else _SMALL_PIECE
        yield margins[first : first + size]
        first += size


def sweep_piece(targets: Sequence[SweepTarget], piece: range) -> list[PieceResult]:
    """Each on a piece; the truth is computed once for all, the calls are those of this piece. Raises FaultError."""
    found, digests = [nothing_yet() for _ in targets], [Digest() for _ in targets]
    for first in range(0, len(piece), CHUNK):
        bits = piece[first : first + CHUNK]
        truth = truth_of(bits)
        for i, target in enumerate(targets):
            found[i] = merge_all(found[i], sweep_chunk(target, bits, truth, digests[i]))
    return [PieceResult(digest.hexadecimal(), one) for digest, one in zip(digests, found, strict=True)]


def evidence_of(found: PieceResult) -> Evidence:
    """What a certificate holds of this."""
    worsts = [found.tallies[quantity].worst for quantity in QUANTITIES]
    return Evidence(found.digest, tuple(None if worst is None else round_up(worst.ulp) for worst in worsts))


def round_up(ulp: float) -> float:
    """An error, rounded up to a hundredth, or to three digits from 10 on; never in another order than the errors."""
    exact = Decimal(ulp)
    return float(exact.quantize(_HUNDREDTH, ROUND_CEILING) if ulp < 10 else _THREE_DIGITS.plus(exact))


def sweep_pieces(
    targets: Sequence[SweepTarget], pieces: Sequence[range], n_processes: int
) -> Generator[Found, None, None]:
    """Every piece, as it is done, over processes. Raises FaultError."""
    specs = tuple(TargetSpec(one.implementation.target, one.reduction, one.order) for one in targets)
    work = partial(sweep_piece, targets) if n_processes == 1 else partial(_sweep_in_process, specs)
    return over_pieces(work, pieces, n_processes)


def load_target(spec: TargetSpec) -> SweepTarget:
    """An implementation, asked as it was. Raises TargetError."""
    (one,) = load(spec.target, {}, ("float32",))
    return SweepTarget(one, spec.reduction, spec.order)


def _sweep_in_process(specs: tuple[TargetSpec, ...], piece: range) -> list[PieceResult]:
    return sweep_piece(_targets_of(specs), piece)


@cache
def _targets_of(specs: tuple[TargetSpec, ...]) -> list[SweepTarget]:
    return [load_target(one) for one in specs]
