"""`gradlab certify`: how far a training by gradient descent is from the exact one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradlab.cli.outputs import output_faults
from gradlab.cli.status import Status

if TYPE_CHECKING:
    from gradlab.trainer.data import Data
    from gradlab.trainer.file import Source
    from gradlab.trainer.findings import Examination
    from gradlab.trainer.run import Settings


@click.command(short_help="How far a training by gradient descent is from the exact one.")
@click.argument("target", required=False, default="")
@click.option(
    "--data", default="digits", show_default=True, metavar="NAME",
    help="digits, iris, wine (of scikit-learn), or FILE.npz with X and y.",
)  # fmt: skip
@click.option("--standardise", is_flag=True, help="Bring each feature to mean 0 and variance 1.")
@click.option(
    "--dtype", type=click.Choice(["float32", "float64"]), default="float32", show_default=True,
    help="What the data and the start are in.",
)  # fmt: skip
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="ETA", help="The learning rate.  [1/L]")
@click.option("--steps", type=click.IntRange(min=0), default=2000, show_default=True, metavar="N")
@click.option("--l2", type=click.FloatRange(min=0), default=0.0, show_default=True, metavar="LAMBDA")
@click.option("--batch-size", type=click.IntRange(min=1), metavar="N", help="Rows of a batch.  [all]")
@click.option("--takes", default="", metavar="ROLES", help="What it takes, in its own order: X,targets,W,b,...")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the certificate to FILE.")
@click.option("--verify", type=click.Path(path_type=Path), metavar="FILE", help="Test whether a certificate holds.")
def certify(
    target: str,
    data: str,
    standardise: bool,
    dtype: str,
    rate: float | None,
    steps: int,
    l2: float,
    batch_size: int | None,
    takes: str,
    output: Path | None,
    verify: Path | None,
) -> Status:
    """Train with TARGET from zeros, and prove how far its weights are from exact gradient descent.

    A TARGET is trainer:file.py:function, or trainer:module:function. What it takes is recognised by the names of its
    parameters: X, targets, W, b, learning_rate, n_steps, n_epochs, n_classes, l2, batch_size, seed; it returns W and b.

    Small trainings of 0, 1, 2, 3 and 8 steps come first, where a mistake of one step is far outside what sound code may
    be off by. Then it trains on the data. Exact descent is enclosed: every step's gradient in float64, with a proved
    bound, and a step of at most 2/L takes no two points apart. The exit status is 1 where the weights are further off
    than sound code is likely to be. A mistake is named where a known one explains them.

    A TARGET that takes C, l2 or a tolerance and no learning rate looks for the optimum itself, such as
    trainer:sklearn.linear_model:LogisticRegression: how far the optimum is from its weights is proved.

    --verify tests whether a certificate holds (exit status 0) or not (1): all that it states is worked out again from
    the data and the weights in it. TARGET runs in gradlab's own process.
    """
    if bool(target) == bool(verify):
        raise click.UsageError("give a TARGET, or --verify FILE")
    if verify:
        return _verify(verify)
    faults = output_faults([output] if output else [])
    if faults:
        raise click.UsageError(faults[0])
    from gradlab.targets.importing import TargetError
    from gradlab.targets.trainers import load_trainer
    from gradlab.trainer.checks import examine_trainer
    from gradlab.trainer.data import DataError
    from gradlab.trainer.file import Source
    from gradlab.trainer.run import Settings

    try:
        trainer = load_trainer(target, tuple(filter(None, takes.split(","))))
        source = Source(target, data, standardise)
        found = source.load()
        examination = examine_trainer(trainer, dtype)
        settings = Settings(dtype, rate, steps, l2, batch_size, examination.trainer.has_bias)
        run = _solved if trainer.is_solver else _descended
        outcome = run(examination, found, settings, source)
    except (TargetError, DataError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    return _shown(examination, outcome, output)


@dataclass(frozen=True)
class _Outcome:
    """What a training on the data comes to. is_met: whether it is as good as it may be asked; document: as a file."""

    lines: list[str]
    is_met: bool
    document: Any = None


def _descended(examination: Examination, data: Data, settings: Settings, source: Source) -> _Outcome:
    """Raises ValueError where it cannot be asked."""
    from dataclasses import replace

    from gradlab.trainer.call import train, with_order_of, with_start_of
    from gradlab.trainer.certificate import certify_training
    from gradlab.trainer.file import encode_certificate
    from gradlab.trainer.page import certificate_lines, stall_line
    from gradlab.trainer.run import in_whole_epochs, problem_on
    from gradlab.trainer.stalling import encode_stalls, find_stall

    trainer = examination.trainer
    problem = problem_on(data, settings).replace(penalty=replace(examination.penalty, strength=settings.l2))
    problem = with_start_of(trainer, in_whole_epochs(trainer, problem))
    trained = train(trainer, problem)
    if trained.fault:
        return _Outcome([f"{trainer.name}: {trained.fault}"], False)
    suspects = dict.fromkeys(name for some in examination.named.values() for name in some)
    certificate = certify_training(with_order_of(trainer, problem, trained), trained, suspects)
    stall = find_stall(trainer, problem, trained)
    lines = [*certificate_lines(trainer.name, certificate), *([stall_line(stall)] if stall else [])]
    document = {**encode_certificate(source, certificate, trained), **encode_stalls(stall, examination.stalls)}
    return _Outcome(lines, certificate.is_likely, document)


def _solved(examination: Examination, data: Data, settings: Settings, source: Source) -> _Outcome:
    from dataclasses import replace

    from gradlab.trainer.file import encode_solution
    from gradlab.trainer.page import solution_lines
    from gradlab.trainer.run import problem_on
    from gradlab.trainer.solver import solve

    trainer = examination.trainer
    problem = problem_on(data, replace(settings, rate=1.0))
    l2 = settings.l2 or (1 / problem.n_rows if trainer.takes("C") else 0.0)  # what C = 1 is in scikit-learn
    found = solve(trainer, problem.replace(penalty=replace(examination.penalty, strength=l2)))
    if isinstance(found, str):
        return _Outcome([f"{trainer.name}: {found}"], False)
    return _Outcome([*solution_lines(trainer.name, found)], found.is_right, encode_solution(source, found))


def _shown(examination: Examination, outcome: _Outcome, output: Path | None) -> Status:
    from gradlab.report.terminal import print_lines
    from gradlab.storage.files import strict_json, write_whole, writing
    from gradlab.trainer.page import closing_line, examination_lines

    closing = closing_line(examination, outcome.is_met)
    print_lines([*examination_lines(examination.trainer.name, examination), *outcome.lines, closing])
    if output and outcome.document:
        with writing():
            write_whole(output, strict_json(outcome.document))
    return Status.MET if outcome.is_met and not examination.findings else Status.NOT_MET


def _verify(path: Path) -> Status:
    from gradlab.report.terminal import print_lines
    from gradlab.storage.files import parsed_json
    from gradlab.trainer.data import DataError
    from gradlab.trainer.file import CertificateFileError, faults_of

    try:
        faults = list(faults_of(parsed_json(path.read_text(encoding="utf-8"))))
    except (OSError, CertificateFileError, DataError, ValueError) as error:
        raise click.UsageError(f"{path}: {error}") from error
    print_lines(faults or ["it holds: the distance from exact descent, the loss and the distance to the optimum"])
    return Status.NOT_MET if faults else Status.MET
