"""Every margin of two classes in float32: piece by piece, over processes, kept as it goes so that it can go on."""

from __future__ import annotations

import contextlib
import hashlib
import signal
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gradlab.adapters.load import TargetError, load, with_gradients
from gradlab.harness.exhaustive_certificate import (
    Certificate,
    CertificateError,
    Outcome,
    encoded,
    machine_of,
    merged_ranges,
    read_certificate,
    stated,
)
from gradlab.harness.exhaustive_tally import Tallies, all_merged, nothing_yet
from gradlab.harness.exhaustive_truth import END, truth_of
from gradlab.harness.exhaustive_walk import CHUNK, Subject, subject_of, walked
from gradlab.harness.files import strict_json, write_whole

ALL = range(END)
SECONDS_BETWEEN_WRITES = 3.0
_SLOW = 0x42800000  # 64: from here on an implementation may have to be asked margin by margin, and pieces are small
_PIECE, _SMALL_PIECE = 2**21, 2**14

Found = tuple[range, list[Tallies]]
Watch = Callable[[int, int], None]  # is told how many margins are done, and of how many


def subjects_of(targets: Sequence[str]) -> list[Subject]:
    """How to ask every implementation that the targets stand for. Raises TargetError, and FaultError."""
    found = [one for target in dict.fromkeys(targets) for one in load(target, {}, ("float32",))]
    for one in with_gradients(found):
        if "float32" not in one.claims.dtypes:
            raise TargetError(f"{one.name} must claim float32, claims {', '.join(one.claims.dtypes)}")
    return [subject_of(one) for one in found]


def fresh(subjects: Sequence[Subject], margins: range) -> Certificate:
    """A certificate of nothing yet, for the margins with these bits, on this machine."""
    outcomes = tuple(Outcome(stated(subject), nothing_yet()) for subject in subjects)
    return Certificate(machine_of(), margins, (), outcomes)


def place_of(begun: Certificate, folder: Path) -> Path:
    """The file in which a walk is kept: another one for other targets or margins."""
    identity = repr(([one.subject["target"] for one in begun.outcomes], begun.margins))
    return folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:10]}.json"


def resumed(begun: Certificate, place: Path) -> tuple[Certificate, str]:
    """What is kept of the same walk, or `begun` if there is nothing or if it was of something else; and which it is."""
    if not place.exists():
        return begun, "begins"
    try:
        kept = read_certificate(place)
    except CertificateError as error:
        return begun, f"starts anew: {error}"
    ours, theirs = _identity(begun), _identity(kept)
    changed = [name for name in ours if ours[name] != theirs.get(name)]
    if changed or ours.keys() != theirs.keys():
        return begun, f"starts anew: what {place} keeps is of another {' and another '.join(changed) or 'kind'}"
    return kept, f"goes on with what {place} keeps: {kept.n_done} of {len(kept.margins)} margins"


def complete(begun: Certificate, subjects: Sequence[Subject], n_processes: int, keep: Keep) -> Certificate:
    """The certificate, completed: whatever pieces of its margins are not done are walked.

    It is kept every few seconds, and when it is interrupted. Raises FaultError.
    """
    current, last = begun, time.monotonic()
    todo = [piece for piece in pieces_of(begun.margins) if not _is_done(piece, begun)]
    try:
        with contextlib.closing(_found(subjects, todo, n_processes)) as found:
            for piece, tallies in found:
                current = _with(current, piece, tallies)
                keep.watch(current.n_done, len(current.margins))
                if time.monotonic() - last > SECONDS_BETWEEN_WRITES:
                    keep.write(current)
                    last = time.monotonic()
    finally:
        keep.write(current)
    return current


@dataclass(frozen=True)
class Keep:
    """Where a walk is kept, and who is told how far it is."""

    place: Path
    watch: Watch = lambda done, total: None

    def write(self, certificate: Certificate) -> None:
        """Writes the certificate. Raises OSError."""
        self.place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.place, strict_json(encoded(certificate)))


def pieces_of(margins: range) -> Iterator[range]:
    """The margins in pieces of one to a few seconds, what is kept at a time."""
    first = 0
    while first < len(margins):
        size = _PIECE if margins[first] < _SLOW else _SMALL_PIECE
        yield margins[first : first + size]
        first += size


def tallied(subjects: Sequence[Subject], piece: range) -> list[Tallies]:
    """The errors of each on a piece; the truth is computed once for all. Raises FaultError."""
    found = [nothing_yet() for _ in subjects]
    for first in range(0, len(piece), CHUNK):
        bits = piece[first : first + CHUNK]
        truth = truth_of(bits)
        found = [
            all_merged(before, walked(subject, bits, truth)) for before, subject in zip(found, subjects, strict=True)
        ]
    return found


def _found(subjects: Sequence[Subject], todo: Sequence[range], n_processes: int) -> Generator[Found, None, None]:
    if n_processes == 1:
        yield from ((piece, tallied(subjects, piece)) for piece in todo)
        return
    targets = tuple(one.implementation.target for one in subjects)
    with ProcessPoolExecutor(n_processes, initializer=_leave_interrupts_to_the_parent) as pool:
        try:
            running = {pool.submit(_in_a_process, targets, piece): piece for piece in todo}
            for future in as_completed(running):
                yield running[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _in_a_process(targets: tuple[str, ...], piece: range) -> list[Tallies]:
    return tallied(_loaded(targets), piece)


@cache
def _loaded(targets: tuple[str, ...]) -> list[Subject]:
    return subjects_of(targets)


def _with(certificate: Certificate, piece: range, tallies: Sequence[Tallies]) -> Certificate:
    outcomes = tuple(
        Outcome(one.subject, all_merged(one.tallies, new))
        for one, new in zip(certificate.outcomes, tallies, strict=True)
    )
    done = merged_ranges([*certificate.done, piece])
    return Certificate(certificate.machine, certificate.margins, done, outcomes)


def _is_done(piece: range, certificate: Certificate) -> bool:
    return any(done.start <= piece.start and piece.stop <= done.stop for done in certificate.done)


def _identity(certificate: Certificate) -> dict[str, object]:
    of_subjects = {
        f"{name} of {one.subject['target']}": value
        for one in certificate.outcomes
        for name, value in one.subject.items()
    }
    return {**certificate.machine, "margins": certificate.margins, **of_subjects}
