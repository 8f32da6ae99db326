"""Every margin of two classes in float32: piece by piece, over processes, kept as it goes so that it can go on."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gradlab.campaigns.exhaustive.certificate import (
    Certificate,
    CertificateError,
    Outcome,
    description_of,
    machine_of,
    merge_ranges,
)
from gradlab.campaigns.exhaustive.evaluation import SweepTarget, sweep_target
from gradlab.campaigns.exhaustive.file import encode, read_certificate
from gradlab.campaigns.exhaustive.pieces import PieceResult, evidence_of, pieces_of, sweep_pieces
from gradlab.campaigns.exhaustive.tally import merge_all, nothing_yet
from gradlab.campaigns.exhaustive.truth import END
from gradlab.storage.files import strict_json, write_whole
from gradlab.targets.load import TargetError, load, with_gradients

ALL = range(END)
SECONDS_BETWEEN_WRITES = 10.0

Watch = Callable[[int, int], None]  # is told how many margins are done, and of how many


def sweep_targets(targets: Sequence[str]) -> list[SweepTarget]:
    """How to ask every implementation that the targets stand for. Raises TargetError, and FaultError."""
    found = [one for target in dict.fromkeys(targets) for one in load(target, {}, ("float32",))]
    for one in with_gradients(found):
        if "float32" not in one.claims.dtypes:
            raise TargetError(f"{one.name} must claim float32, claims {', '.join(one.claims.dtypes)}")
    return [sweep_target(one) for one in found]


def fresh(targets: Sequence[SweepTarget], margins: range) -> Certificate:
    """A certificate of nothing yet, for the margins with these bits, on this machine."""
    outcomes = tuple(Outcome(description_of(target), nothing_yet(), {}) for target in targets)
    return Certificate(machine_of(), margins, (), outcomes)


def place_of(begun: Certificate, folder: Path) -> Path:
    """The file in which a sweep is kept: another one for other targets or margins."""
    identity = repr(([one.description["target"] for one in begun.outcomes], begun.margins))
    return folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:10]}.json"


def resume(begun: Certificate, place: Path) -> tuple[Certificate, str]:
    """What is kept of the same sweep, or `begun` if there is nothing or it was of something else; and which it is."""
    if not place.exists():
        return begun, "begins"
    try:
        kept = read_certificate(place)
    except CertificateError as error:
        return begun, f"starts again: {error}"
    ours, theirs = _identity(begun), _identity(kept)
    changed = [name for name in ours if ours[name] != theirs.get(name)]
    if changed or ours.keys() != theirs.keys() or not (kept.has_pieces or kept.n_done == 0):
        return begun, f"starts again: the progress in {place} is of another {' and another '.join(changed) or 'kind'}"
    return kept, f"goes on with what {place} keeps: {kept.n_done} of {len(kept.margins)} margins"


def complete(begun: Certificate, targets: Sequence[SweepTarget], n_processes: int, keep: Keep) -> Certificate:
    """The certificate, completed: whatever pieces of its margins are not done are swept.

    It is kept every few seconds, and when it is interrupted. Raises FaultError.
    """
    current, last = begun, time.monotonic()
    done = set(begun.pieces)
    todo = [piece for piece in pieces_of(begun.margins) if piece not in done]
    try:
        with contextlib.closing(sweep_pieces(targets, todo, n_processes)) as found:
            for piece, of_each in found:
                current = _with(current, piece, of_each)
                keep.watch(current.n_done, len(current.margins))
                if time.monotonic() - last > SECONDS_BETWEEN_WRITES:
                    keep.write(current)
                    last = time.monotonic()
    finally:
        keep.write(current)
    return current


@dataclass(frozen=True)
class Keep:
    """Where a sweep is kept, and who is told how far it is."""

    place: Path
    watch: Watch = lambda done, total: None

    def write(self, certificate: Certificate) -> None:
        """Writes the certificate. Raises OSError."""
        self.place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.place, strict_json(encode(certificate)))


def _with(certificate: Certificate, piece: range, found: Sequence[PieceResult]) -> Certificate:
    outcomes = tuple(
        Outcome(one.description, merge_all(one.tallies, new.tallies), {**one.evidence, piece: evidence_of(new)})
        for one, new in zip(certificate.outcomes, found, strict=True)
    )
    done = merge_ranges([*certificate.done, piece])
    return Certificate(certificate.machine, certificate.margins, done, outcomes)


def _identity(certificate: Certificate) -> dict[str, object]:
    of_targets = {
        f"{name} of {one.description['target']}": value
        for one in certificate.outcomes
        for name, value in one.description.items()
    }
    return {**certificate.machine, "margins": certificate.margins, **of_targets}
