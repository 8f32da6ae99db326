"""Whole runs: targets swept to a certificate, kept as it grows, and a certificate verified."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gradlab.campaigns.exhaustive import KEPT
from gradlab.campaigns.exhaustive.certificate import Certificate, label_of
from gradlab.campaigns.exhaustive.file import encode, read_certificate
from gradlab.campaigns.exhaustive.page import certificate_lines, finding_lines, spot_check_lines
from gradlab.campaigns.exhaustive.spot_check import Again, Choice, choose, sweep_again
from gradlab.campaigns.exhaustive.sweep import ALL, Keep, Watch, complete, fresh, place_of, resume, sweep_targets
from gradlab.campaigns.exhaustive.verify import Finding, changes, verify_errors
from gradlab.campaigns.runner import HERE, Where
from gradlab.harness.plan import Progress
from gradlab.harness.plan import Watch as Display
from gradlab.storage.files import strict_json, write_whole

Say = Callable[[Iterable[str]], None]  # is given lines as they come
Choose = Callable[[Certificate], Choice]  # which pieces are run again: all of them, or some drawn with a seed


@dataclass(frozen=True)
class Files:
    """Where a sweep is kept as it grows, and where its certificate goes: a file, or a folder for one NAME.json each."""

    kept: Path = KEPT
    output: Path | None = None


KEPT_ONLY = Files()


@dataclass(frozen=True)
class Verification:
    """What became of a certificate: of its largest errors, and of the pieces that were run again, if any."""

    certificate: Certificate
    findings: tuple[Finding, ...]
    choice: Choice | None = None
    again: tuple[Again, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether there was something to verify, and nothing that does not hold."""
        found = any(one.faults for one in self.findings) or any(one.faults for one in self.again)
        return bool(self.findings) and not found


def silent(lines: Iterable[str]) -> None:
    """Nothing is said."""


def draw(certificate: Certificate) -> Choice:
    """Pieces drawn at random, by a seed that nobody knew when the certificate was made."""
    return choose(certificate, secrets.randbits(63))


def certify(
    targets: Sequence[str],
    margins: range = ALL,
    files: Files = KEPT_ONLY,
    where: Where = HERE,
    say: Say = silent,
) -> Certificate:
    """The certificate of every implementation that the targets stand for, at the margins with these bits.

    What files.kept holds of the same sweep is not done again. where: how many processes share the pieces, none of them
    isolated. Raises TargetError, FaultError and OutputError.
    """
    kept, output = files.kept.resolve(), files.output and files.output.resolve()  # an implementation may go elsewhere
    found = sweep_targets(targets)
    begun = fresh(found, margins)
    place = place_of(begun, kept)
    begun, how = resume(begun, place)
    say([f"{label_of(margins)}, {len(margins):,} margins, {how}"])
    name = ", ".join(one.implementation.name for one in found)
    with where.progress(name) as display:
        done = complete(begun, found, where.jobs, Keep(place, _with_rate(display, name, begun.n_done)))
    for path, certificate in _files(output, done) if output else []:
        write_whole(path, strict_json(encode(certificate)))
    say(certificate_lines(done))
    return done


def verify_certificate(path: Path, pieces: Choose = draw, where: Where = HERE, say: Say = silent) -> Verification:
    """What becomes of the certificate in a file. pieces: which of its pieces are run again.

    Raises CertificateError, TargetError and FaultError.
    """
    certificate = read_certificate(path)
    say([f"{label_of(certificate.margins)}, {certificate.n_done:,} of {len(certificate.margins):,} margins"])
    if not certificate.has_pieces:
        say(["it holds no pieces: only its largest errors and what is run again now are verified"])
    say(f"changed since: {change}" for change in changes(certificate))
    findings = tuple(verify_errors(certificate))
    say(line for finding in findings for line in finding_lines(finding))
    if not findings:
        return Verification(certificate, findings)
    choice = pieces(certificate)
    name = ", ".join(one.description["name"] for one in certificate.outcomes)
    with where.progress(name) as display:
        again = tuple(sweep_again(certificate, choice, where.jobs, _with_rate(display, name, 0)))
    say(spot_check_lines(certificate, choice, again))
    return Verification(certificate, findings, choice, again)


def _files(output: Path, done: Certificate) -> Iterator[tuple[Path, Certificate]]:
    """The certificate for a file; for a folder one of each implementation, as if it had been swept alone."""
    if not output.is_dir():
        yield output, done
        return
    for outcome in done.outcomes:
        yield output / f"{outcome.description['name']}.json", replace(done, outcomes=(outcome,))


def _with_rate(display: Display, name: str, done_before: int) -> Watch:
    started = time.monotonic()

    def watch(done: int, total: int) -> None:
        rate = (done - done_before) / (time.monotonic() - started)
        left = (total - done) / rate
        phase = f"{rate / 1e6:.2f} million margins/s, about {left:.0f} s left"
        display(Progress(name, "float32", phase, done, total, 0))

    return watch
