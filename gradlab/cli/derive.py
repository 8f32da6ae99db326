"""`gradlab derive`: the mathematics, step by step."""

from __future__ import annotations

import click

from gradlab.cli.status import Status

FORM_NAMES = ("definition", "textbook", "shifted", "log-space", "complement", "layer")
STYLE_NAMES = ("text", "latex", "python")


@click.command(short_help="The mathematics of a form, step by step, proved again.")
@click.option("--form", type=click.Choice(FORM_NAMES), default="definition", show_default=True)
@click.option("--format", "style", type=click.Choice(STYLE_NAMES), default="text", show_default=True)
def derive(form: str, style: str) -> Status:
    """The derivation of a form, step by step, with what proved each step. Each is proved again while it is printed."""
    from gradlab.symbolic.render import derive as derived

    click.echo(derived(form, style), nl=False)
    return Status.MET
