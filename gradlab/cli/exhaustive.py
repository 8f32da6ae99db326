"""`gradlab exhaustive`: the largest errors on every float32 margin of two classes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradlab.cli.status import Status

if TYPE_CHECKING:
    from gradlab.campaigns.exhaustive.certificate import Certificate
    from gradlab.campaigns.exhaustive.evaluation import Subject
    from gradlab.campaigns.exhaustive.sweep import Watch
    from gradlab.harness.plan import Watch as Shown

KEPT = Path(".gradlab") / "exhaustive"


@click.command(short_help="The largest errors on every float32 margin of two classes.")
@click.argument("targets", nargs=-1)
@click.option(
    "--processes", type=click.IntRange(min=1), default=1, show_default=True, help="How many processes share the work."
)
@click.option(
    "--sample", type=click.IntRange(min=1), default=1, show_default=True, help="Test every Nth margin.", metavar="N"
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the certificate to FILE; if it is a folder, one NAME.json for each TARGET.",
)
@click.option(
    "--kept",
    type=click.Path(path_type=Path),
    default=KEPT,
    show_default=True,
    metavar="DIR",
    help="Where progress is kept.",
)
@click.option("--verify", type=click.Path(path_type=Path), metavar="CERTIFICATE", help="Test whether it holds.")
@click.option("--all", "everything", is_flag=True, help="With --verify: run every piece again.")
@click.option(
    "--seed", type=click.IntRange(min=0), help="With --verify: choose the pieces; the same seed, the same pieces."
)
def exhaustive(targets: tuple[str, ...], verify: Path | None, output: Path | None, **given: Any) -> Status:
    """The largest errors of each TARGET for the logits (M, 0), with both labels, at all float32 margins M in [0, 104).

    There are 1,120,927,744 such margins. From M = 103.972 on, the last 0.0003% of them, the right small answers are 0.

    A TARGET is what it is for `gradlab check`. If the run is interrupted, the same command goes on where it stopped.

    --verify tests whether a certificate holds (exit status 0) or not (1). Its largest errors are computed again by ball
    arithmetic, and the implementation is called there again. Then pieces drawn at random, of 4,194,304 margins in all,
    are run again: the digest of their answers and their largest errors must be those of the certificate. With another
    processor or other versions, answers may have other bits. Then gradlab only tests that no error is larger. It also
    prints how likely a false certificate is to pass.
    """
    from gradlab.campaigns.exhaustive.certificate import CertificateError
    from gradlab.campaigns.exhaustive.evaluation import FaultError
    from gradlab.targets.load import TargetError

    if (verify is None) == (not targets):
        raise click.UsageError("give one TARGET or more, or --verify CERTIFICATE")
    faults = [*_unfit(verify is not None, given), *_unwritable(given["kept"], output)]
    if faults:
        raise click.UsageError("\n".join(faults))
    try:
        return _verify(verify, given) if verify else _walk(targets, output, given)
    except (TargetError, CertificateError) as error:
        raise click.UsageError(str(error)) from error
    except FaultError as error:
        click.echo(f"gradlab: {error}", err=True)
        return Status.NOT_MET


def _walk(targets: Sequence[str], output: Path | None, given: dict[str, Any]) -> Status:
    from gradlab.campaigns.exhaustive.certificate import label_of
    from gradlab.campaigns.exhaustive.file import encoded
    from gradlab.campaigns.exhaustive.page import told
    from gradlab.campaigns.exhaustive.sweep import ALL, fresh, place_of, resumed, subjects_of
    from gradlab.report.terminal import print_lines
    from gradlab.storage.files import strict_json, write_whole

    output, kept = output and output.resolve(), given["kept"].resolve()  # what is asked may go elsewhere
    subjects = subjects_of(targets)
    begun = fresh(subjects, ALL[:: given["sample"]])
    place = place_of(begun, kept)
    begun, how = resumed(begun, place)
    print_lines([f"{label_of(begun.margins)}, {len(begun.margins):,} margins, {how}"])
    done = _completed(begun, subjects, place, given["processes"])
    for path, certificate in _files(output, done) if output else []:
        write_whole(path, strict_json(encoded(certificate)))
    print_lines(told(done))
    return Status.MET


def _unfit(verifies: bool, given: dict[str, Any]) -> Iterator[str]:
    if (given["everything"] or given["seed"] is not None) and not verifies:
        yield "--all and --seed are for --verify"
    if given["everything"] and given["seed"] is not None:
        yield "--all runs every piece: there is nothing to choose with --seed"


def _unwritable(kept: Path, output: Path | None) -> Iterator[str]:
    from gradlab.storage.files import folder_fault, output_fault

    of_output = None if output is None else folder_fault(output) if output.is_dir() else output_fault(output)
    yield from (fault for fault in (folder_fault(kept), of_output) if fault)


def _files(output: Path, done: Certificate) -> Iterator[tuple[Path, Certificate]]:
    """The certificate for a file; for a folder one of each implementation, as if it had been walked alone."""
    if not output.is_dir():
        yield output, done
        return
    for outcome in done.outcomes:
        yield output / f"{outcome.subject['name']}.json", replace(done, outcomes=(outcome,))


def _completed(begun: Certificate, subjects: Sequence[Subject], place: Path, n_processes: int) -> Certificate:
    from gradlab.campaigns.exhaustive.sweep import Keep, complete
    from gradlab.report.progress import shown

    name = ", ".join(subject.implementation.name for subject in subjects)
    with shown(name) as display:
        return complete(begun, subjects, n_processes, Keep(place, _with_rate(display, name, begun.n_done)))


def _with_rate(display: Shown, name: str, done_before: int) -> Watch:
    from gradlab.harness.plan import Progress

    started = time.monotonic()

    def watch(done: int, total: int) -> None:
        rate = (done - done_before) / (time.monotonic() - started)
        left = (total - done) / rate
        phase = f"{rate / 1e6:.2f} million margins/s, about {left:.0f} s left"
        display(Progress(name, "float32", phase, done, total, 0))

    return watch


def _verify(path: Path, given: dict[str, Any]) -> Status:
    from gradlab.campaigns.exhaustive.certificate import label_of
    from gradlab.campaigns.exhaustive.file import read_certificate
    from gradlab.campaigns.exhaustive.page import told_of
    from gradlab.campaigns.exhaustive.verify import changes, verified
    from gradlab.report.terminal import print_lines

    certificate = read_certificate(path)
    print_lines([f"{label_of(certificate.margins)}, {certificate.n_done:,} of {len(certificate.margins):,} margins"])
    if not certificate.has_pieces:
        print_lines(["it holds no pieces: only its largest errors and what is run again now are verified"])
    print_lines(f"changed since: {change}" for change in changes(certificate))
    findings = list(verified(certificate))
    print_lines(line for finding in findings for line in told_of(finding))
    if not findings:
        return Status.NOTHING_CHECKED
    holds = _walked_again(certificate, given) and not any(finding.faults for finding in findings)
    return Status.MET if holds else Status.NOT_MET


def _walked_again(certificate: Certificate, given: dict[str, Any]) -> bool:
    """Whether what the pieces hold, or some drawn at random, is found again."""
    from gradlab.campaigns.exhaustive.page import told_again
    from gradlab.campaigns.exhaustive.spot_check import chosen, walked_again
    from gradlab.report.progress import shown
    from gradlab.report.terminal import print_lines

    seed = secrets.randbits(63) if given["seed"] is None else given["seed"]
    choice = chosen(certificate, None if given["everything"] else seed)
    name = ", ".join(one.subject["name"] for one in certificate.outcomes)
    with shown(name) as display:
        found = walked_again(certificate, choice, given["processes"], _with_rate(display, name, 0))
    print_lines(told_again(certificate, choice, found))
    if given["seed"] is not None and choice.seed is not None:
        print_lines(["the probabilities are those of a seed that was not known when the certificate was made"])
    return not any(one.faults for one in found)
