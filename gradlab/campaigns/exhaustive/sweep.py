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
    machine_of,
    merged_ranges,
    stated,
)
from gradlab.campaigns.exhaustive.evaluation import Subject, subject_of
from gradlab.campaigns.exhaustive.file import encoded, read_certificate
from gradlab.campaigns.exhaustive.pieces import Examined, evidence_of, examined_over, pieces_of
from gradlab.campaigns.exhaustive.tally import all_merged, nothing_yet
from gradlab.campaigns.exhaustive.truth import END
from gradlab.storage.files import strict_json, write_whole
from gradlab.targets.load import TargetError, load, with_gradients

ALL = range(END)
SECONDS_BETWEEN_WRITES = 10.0

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
    outcomes = tuple(Outcome(stated(subject), nothing_yet(), {}) for subject in subjects)
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
        return begun, f"starts again: {error}"
    ours, theirs = _identity(begun), _identity(kept)
    changed = [name for name in ours if ours[name] != theirs.get(name)]
    if changed or ours.keys() != theirs.keys() or not (kept.has_pieces or kept.n_done == 0):
        return begun, f"starts again: the progress in {place} is of another {' and another '.join(changed) or 'kind'}"
    return kept, f"goes on with what {place} keeps: {kept.n_done} of {len(kept.margins)} margins"


def complete(begun: Certificate, subjects: Sequence[Subject], n_processes: int, keep: Keep) -> Certificate:
    """The certificate, completed: whatever pieces of its margins are not done are walked.

    It is kept every few seconds, and when it is interrupted. Raises FaultError.
    """
    current, last = begun, time.monotonic()
    done = set(begun.pieces)
    todo = [piece for piece in pieces_of(begun.margins) if piece not in done]
    try:
        with contextlib.closing(examined_over(subjects, todo, n_processes)) as found:
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
    """Where a walk is kept, and who is told how far it is."""

    place: Path
    watch: Watch = lambda done, total: None

    def write(self, certificate: Certificate) -> None:
        """Writes the certificate. Raises OSError."""
        self.place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.place, strict_json(encoded(certificate)))


def _with(certificate: Certificate, piece: range, found: Sequence[Examined]) -> Certificate:
    outcomes = tuple(
        Outcome(one.subject, all_merged(one.tallies, new.tallies), {**one.evidence, piece: evidence_of(new)})
        for one, new in zip(certificate.outcomes, found, strict=True)
    )
    done = merged_ranges([*certificate.done, piece])
    return Certificate(certificate.machine, certificate.margins, done, outcomes)


def _identity(certificate: Certificate) -> dict[str, object]:
    of_subjects = {
        f"{name} of {one.subject['target']}": value
        for one in certificate.outcomes
        for name, value in one.subject.items()
    }
    return {**certificate.machine, "margins": certificate.margins, **of_subjects}
