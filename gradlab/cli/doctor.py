"""`gradlab doctor`: what this machine's arithmetic is like."""

from __future__ import annotations

import click

from gradlab.cli.status import Status


@click.command(short_help="What this machine's arithmetic is like.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def doctor(as_json: bool) -> Status:
    """Versions, processor, rounding, subnormals, and the measured error of exp, log and log1p.

    Exit status 1 where something is not as level `stable` takes it.
    """
    from gradlab.harness.files import strict_json
    from gradlab.report.doctor import examination, told

    found = examination()
    click.echo(strict_json(found) if as_json else "\n".join(told(found)))
    return Status.MET if found["sound"] else Status.NOT_MET
