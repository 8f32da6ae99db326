"""`gradlab exhaustive`: the largest errors on every float32 margin of two classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from gradlab.campaigns.exhaustive import KEPT
from gradlab.cli.status import Status


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
@click.option("--trust", is_flag=True, help="With --verify: run the command that it names, if its target is exec:...")
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
    from concurrent.futures.process import BrokenProcessPool

    from gradlab.campaigns.exhaustive.certificate import CertificateError
    from gradlab.campaigns.exhaustive.evaluation import FaultError
    from gradlab.targets.load import TargetError

    if (verify is None) == (not targets):
        raise click.UsageError("give one TARGET or more, or --verify CERTIFICATE")
    faults = [*_unfit(verify is not None, given), *_unwritable(given["kept"], output)]
    if faults:
        raise click.UsageError("\n".join(faults))
    try:
        if verify and not given["trust"]:
            _refuse_commands(verify)
        return _verify(verify, given) if verify else _certify(targets, output, given)
    except (TargetError, CertificateError) as error:
        raise click.UsageError(str(error)) from error
    except FaultError as error:
        click.echo(f"gradlab: {error}", err=True)
        return Status.NOT_MET
    except BrokenProcessPool as error:
        raise click.UsageError(
            "a process was ended from outside: the same command goes on where this stopped"
        ) from error


def _certify(targets: Sequence[str], output: Path | None, given: dict[str, Any]) -> Status:
    from gradlab.campaigns.exhaustive.run import Files, certify
    from gradlab.campaigns.exhaustive.sweep import ALL
    from gradlab.campaigns.runner import Where
    from gradlab.report.progress import show_progress
    from gradlab.report.terminal import print_lines

    where = Where(None, given["processes"], show_progress)
    certify(targets, ALL[:: given["sample"]], Files(given["kept"], output), where, print_lines)
    return Status.MET


def _verify(path: Path, given: dict[str, Any]) -> Status:
    from gradlab.campaigns.exhaustive.run import draw, verify_certificate
    from gradlab.campaigns.exhaustive.spot_check import choose
    from gradlab.campaigns.runner import Where
    from gradlab.report.progress import show_progress
    from gradlab.report.terminal import print_lines

    drawn = given["seed"] is None and not given["everything"]
    pieces = draw if drawn else partial(choose, seed=given["seed"])
    found = verify_certificate(path, pieces, Where(None, given["processes"], show_progress), print_lines)
    if not found.findings:
        return Status.NOTHING_CHECKED
    if given["seed"] is not None and found.choice and found.choice.seed is not None:
        print_lines(["the probabilities are those of a seed that was not known when the certificate was made"])
    return Status.MET if found.holds else Status.NOT_MET


def _refuse_commands(path: Path) -> None:
    """Raises TargetError where a certificate names a command."""
    from gradlab.campaigns.exhaustive.file import read_certificate
    from gradlab.targets.importing import TargetError
    from gradlab.targets.prefixes import runs_a_command, untrusted

    for target in (one.description["target"] for one in read_certificate(path).outcomes):
        if runs_a_command(target):
            raise TargetError(untrusted(target, str(path)))


def _unfit(verifies: bool, given: dict[str, Any]) -> Iterator[str]:
    if (given["everything"] or given["seed"] is not None) and not verifies:
        yield "--all and --seed are for --verify"
    if given["everything"] and given["seed"] is not None:
        yield "--all runs every piece: there is nothing to choose with --seed"


def _unwritable(kept: Path, output: Path | None) -> Iterator[str]:
    from gradlab.storage.files import folder_fault, output_fault

    of_output = None if output is None else folder_fault(output) if output.is_dir() else output_fault(output)
    yield from (fault for fault in (folder_fault(kept), of_output) if fault)
