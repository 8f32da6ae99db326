"""`gradlab exhaustive`: the largest errors on every float32 margin of two classes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradlab.cli.status import Status

if TYPE_CHECKING:
    from gradlab.harness.exhaustive import Watch
    from gradlab.harness.exhaustive_certificate import Certificate
    from gradlab.harness.exhaustive_walk import Subject
    from gradlab.harness.run import Watch as Shown

KEPT = Path(".gradlab") / "exhaustive"


@click.command(short_help="The largest errors on every float32 margin of two classes.")
@click.argument("targets", nargs=-1)
@click.option("--processes", type=click.IntRange(min=1), default=1, show_default=True, help="Share the work out.")
@click.option(
    "--sample", type=click.IntRange(min=1), default=1, show_default=True, help="Take every so-manieth margin."
)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the certificate there.")
@click.option(
    "--kept", type=click.Path(path_type=Path), default=KEPT, show_default=True, metavar="DIR", help="Progress."
)
@click.option("--verify", type=click.Path(path_type=Path), metavar="CERTIFICATE", help="Replay its largest errors.")
def exhaustive(targets: tuple[str, ...], verify: Path | None, output: Path | None, **given: Any) -> Status:
    """Ask each TARGET for logits (M, 0), both labels and all float32 margins M in [0, 104): its largest errors.

    They are 1,120,927,744; from M = 103.972 on, the last 0.0003% of them, the right small answers are 0.

    TARGETs are those of `gradlab check`. A walk that was interrupted goes on when the same command is given again. With
    --verify: whether the largest errors of a certificate hold (0) or not (1), by ball arithmetic and by asking again.
    """
    from gradlab.adapters.load import TargetError
    from gradlab.harness.exhaustive_certificate import CertificateError
    from gradlab.harness.exhaustive_walk import FaultError
    from gradlab.harness.files import folder_fault, output_fault

    if (verify is None) == (not targets):
        raise click.UsageError("give one TARGET or more, or --verify CERTIFICATE")
    faults = [folder_fault(given["kept"]), output_fault(output) if output else None]
    if any(faults):
        raise click.UsageError("\n".join(fault for fault in faults if fault))
    try:
        return _verify(verify) if verify else _walk(targets, output, given)
    except (TargetError, CertificateError) as error:
        raise click.UsageError(str(error)) from error
    except FaultError as error:
        click.echo(f"gradlab: {error}", err=True)
        return Status.NOT_MET


def _walk(targets: Sequence[str], output: Path | None, given: dict[str, Any]) -> Status:
    from gradlab.harness.exhaustive import ALL, fresh, place_of, resumed, subjects_of
    from gradlab.harness.exhaustive_certificate import encoded, label_of
    from gradlab.harness.files import strict_json, write_whole
    from gradlab.report.exhaustive import told
    from gradlab.report.terminal import print_lines

    output, kept = output and output.resolve(), given["kept"].resolve()  # what is asked may go elsewhere
    subjects = subjects_of(targets)
    begun = fresh(subjects, ALL[:: given["sample"]])
    place = place_of(begun, kept)
    begun, how = resumed(begun, place)
    print_lines([f"{label_of(begun.margins)}, {len(begun.margins):,} margins, {how}"])
    done = _completed(begun, subjects, place, given["processes"])
    if output:
        write_whole(output, strict_json(encoded(done)))
    print_lines(told(done))
    return Status.MET


def _completed(begun: Certificate, subjects: Sequence[Subject], place: Path, n_processes: int) -> Certificate:
    from gradlab.harness.exhaustive import Keep, complete
    from gradlab.report.progress import shown

    name = ", ".join(subject.implementation.name for subject in subjects)
    with shown(name) as display:
        return complete(begun, subjects, n_processes, Keep(place, _with_rate(display, name, begun.n_done)))


def _with_rate(display: Shown, name: str, done_before: int) -> Watch:
    from gradlab.harness.run import Progress

    started = time.monotonic()

    def watch(done: int, total: int) -> None:
        rate = (done - done_before) / (time.monotonic() - started)
        left = (total - done) / rate
        phase = f"{rate / 1e6:.2f} million margins/s, about {left:.0f} s left"
        display(Progress(name, "float32", phase, done, total, 0))

    return watch


def _verify(path: Path) -> Status:
    from gradlab.harness.exhaustive_certificate import label_of, read_certificate
    from gradlab.harness.exhaustive_verify import changes, verified
    from gradlab.report.exhaustive import told_of
    from gradlab.report.terminal import print_lines

    certificate = read_certificate(path)
    print_lines([f"{label_of(certificate.margins)}, {certificate.n_done:,} of {len(certificate.margins):,} margins"])
    print_lines(f"changed since: {change}" for change in changes(certificate))
    findings = list(verified(certificate))
    print_lines(line for finding in findings for line in told_of(finding))
    if not findings:
        return Status.NOTHING_CHECKED
    return Status.NOT_MET if any(finding.faults for finding in findings) else Status.MET
