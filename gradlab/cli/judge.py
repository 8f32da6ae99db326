"""`gradlab judge`: one verdict for machines."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradlab.cli.claiming import (
    claim_options,
    claims_given,
    device_option,
    dtype_option,
    layer_claims_given,
    layer_options,
)
from gradlab.cli.limits import Time, forbid_option, isolation_options, limits_of, sandbox_option
from gradlab.cli.seed import RANDOM, Seed
from gradlab.cli.signals import held_apart
from gradlab.cli.status import Status
from gradlab.evaluation.claims import LEVELS
from gradlab.harness.profiles import PROFILES
from gradlab.targets.prefixes import on_device

if TYPE_CHECKING:
    from gradlab.isolation.limits import Limits
    from gradlab.storage.encoding import Plain


@click.command(short_help="One verdict for machines, with a reward.")
@click.argument("target", required=False)
@click.option("--level", type=click.Choice(LEVELS), help="The verdict asked for.  [default: as claimed, or stable]")
@click.option("--profile", type=click.Choice(list(PROFILES)), default="quick", show_default=True)
@dtype_option("Judge")
@click.option("--seed", type=Seed(), default=RANDOM, show_default=True, help="Of the problems; it is printed.")
@click.option(
    "--minutes",
    type=Time("minutes"),
    metavar="N",
    help="After how many minutes the run is cut short.  [default: as of the profile]",
)
@click.option("--no-time", is_flag=True, help="Time no calls.")
@click.option("--verbose", is_flag=True, help="Show every failure, not only the most costly.")
@click.option("--json", metavar="FILE", help="Write the judgement to FILE, as JSON; - is standard output, alone there.")
@click.option(
    "--serve",
    type=click.Path(path_type=Path),
    metavar="SOCKET",
    help="Stay, and judge what is asked at this socket, in lines of JSON.",
)
@click.option(
    "--server",
    type=click.Path(path_type=Path),
    metavar="SOCKET",
    help="Have the server at this socket judge TARGET.",
)
@device_option
@forbid_option("")
@sandbox_option("")
@claim_options
@layer_options
@isolation_options
def judge(target: str | None, json: str | None, serve: Path | None, server: Path | None, **given: Any) -> Status:
    """What one TARGET is worth to a benchmark or a reward.

    The code runs in a process of its own and is judged from this one, where it cannot reach. Twelve problems come
    first: code that is wrong on them is given up at once. The reward is 0 where it is wrong, otherwise a number up to
    1 that goes by the verdict first and by time second; docs/judge.md has the rule, and what is promised.
    """
    limits = limits_of(given)
    if limits is None:
        raise click.UsageError("the code must run in a process of its own, which needs POSIX, without --in-process")
    if (target is None) == (serve is None) or (serve is not None and server is not None):
        raise click.UsageError("give a TARGET, or --serve SOCKET")
    if serve is not None:
        return _serve(serve, limits)
    (target,) = on_device((target or "",), given["device"])
    question: dict[str, Any] = {
        "target": target,
        "seed": given["seed"],
        "profile": given["profile"],
        "level": given["level"],
        "dtypes": list(given["dtypes"]),
        "minutes": given["minutes"],
        "time": not given["no_time"],
        "verbose": given["verbose"],
        "here": str(Path.cwd()),
        "forbidden": list(given["forbidden"]),
        "claims": {**claims_given(given), **layer_claims_given(given)},
    }
    answer, lines = _asked(server, question) if server is not None else _judged(question, limits)
    if json != "-":
        click.echo("\n".join(lines))
    if json is not None:
        _write(json, answer)
    if answer["verdict"] == "refused":
        return Status.USAGE
    return Status.MET if answer["met"] else Status.NOT_MET


def _judged(question: dict[str, Any], limits: Limits) -> tuple[Any, list[str]]:
    """The judgement, as plain data and in lines."""
    with held_apart():
        from gradlab.judgement.judge import Judge
        from gradlab.judgement.judgement import lines_of
        from gradlab.judgement.server import question_of

        with Judge(limits) as own:
            try:
                answer = own.judge(question_of(question)).to_json()
            except ValueError as error:
                raise click.UsageError(str(error)) from None
        return answer, lines_of(answer)


def _asked(server: Path, question: dict[str, Any]) -> tuple[Any, list[str]]:
    from gradlab.judgement.judgement import lines_of
    from gradlab.judgement.server import ServerError, ask

    try:
        answer = ask(server, question)
    except (ServerError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    return answer, lines_of(answer)


def _serve(path: Path, limits: Limits) -> Status:
    with held_apart():
        from gradlab.judgement.judge import Judge
        from gradlab.judgement.server import Server, ServerError

        with Judge(limits) as own:
            try:
                server = Server(path, own)
            except ServerError as error:
                raise click.UsageError(str(error)) from None
            with server, contextlib.suppress(KeyboardInterrupt):
                click.echo(f"judging at {path}; Ctrl-C ends it")
                server.serve()
    return Status.MET


def _write(place: str, answer: Plain) -> None:
    from gradlab.storage.files import strict_json, write_whole, writing

    if place == "-":
        click.echo(strict_json(answer).rstrip())
        return
    with writing():
        write_whole(Path(place), strict_json(answer))
