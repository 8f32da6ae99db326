"""The options by which claims are made on the command line, shared by the commands that take targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from gradlab.evaluation.claims import ONE_HOT, OPTIONS
from gradlab.problems.options import MEANS, REDUCTIONS, TARGETS

# Each claim by the keyword under which a command gets it; `targets` are the command's own.
_KEYWORDS = {"reduction": "reduction", "targets": "kinds", "mean_over": "mean_over", "options": "options"}


def claim_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --reduction, --targets, --mean-over and --option to a command."""

    def option(names: Sequence[str], values: Sequence[str]) -> Callable[..., Any]:
        return click.option(*names, type=click.Choice(values), multiple=True, help="Claim this. May be repeated.")

    added = (
        option(("--reduction",), REDUCTIONS),
        option(("--targets", "kinds"), [*TARGETS, ONE_HOT]),
        option(("--mean-over",), [*MEANS]),
        option(("--option", "options"), OPTIONS),
    )
    for one in reversed(added):
        command = one(command)
    return command


def claims_given(given: dict[str, Any]) -> dict[str, Any]:
    """The claims made by those options, which are taken out."""
    claims = {claim: given.pop(keyword) for claim, keyword in _KEYWORDS.items()}
    return {claim: value for claim, value in claims.items() if value}
