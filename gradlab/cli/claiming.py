"""The options by which claims are made on the command line, shared by the commands that take targets; and a layer's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from gradlab.evaluation.claims import ONE_HOT, OPTIONS
from gradlab.evaluation.layer_claims import L2_FORMS, LAYOUTS, RETURNED, TAKEN
from gradlab.problems.dtypes import DTYPE_NAMES
from gradlab.problems.options import MEANS, REDUCTIONS, TARGETS

# Each claim by the keyword under which a command gets it; `targets` are the command's own.
_KEYWORDS = {"reduction": "reduction", "targets": "kinds", "mean_over": "mean_over", "options": "options"}


def dtype_option(verb: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds --dtype to a command; verb: what it does in a dtype."""
    words = f"{verb} in this dtype. May be repeated.  [default: as claimed]"
    return click.option("--dtype", "dtypes", type=click.Choice(DTYPE_NAMES), multiple=True, help=words)


def device_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --device to a command."""
    words = "Put the arrays of torch:, torch-compile:, triton: and jax: targets there: cuda, cuda:1, xpu, mps."
    return click.option("--device", metavar="NAME", help=words)(command)


def claim_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --reduction, --targets, --mean-over and --option to a command."""

    def option(names: Sequence[str], values: Sequence[str]) -> Callable[..., Any]:
        return click.option(*names, type=click.Choice(values), multiple=True, help="Claim this. May be repeated.")

    added = (
        option(("--reduction",), REDUCTIONS),
        option(("--targets", "kinds"), [*TARGETS, ONE_HOT]),
        option(("--mean-over",), [*MEANS]),
        click.option(
            "--option",
            "options",
            type=_OptionName(OPTIONS),
            multiple=True,
            help="Claim this, or NAME=KEYWORD. May be repeated.",
        ),
    )
    for one in reversed(added):
        command = one(command)
    return command


class _OptionName(click.Choice[str]):
    """The name of an option, or "name=keyword" for one that is handed over by another keyword."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        name, mark, keyword = str(value).partition("=")
        return super().convert(name, param, ctx) + mark + keyword


def claims_given(given: dict[str, Any]) -> dict[str, Any]:
    """The claims made by those options, which are taken out."""
    claims = {claim: given.pop(keyword) for claim, keyword in _KEYWORDS.items()}
    return {claim: value for claim, value in claims.items() if value}


def layer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds what a layer claims to a command: --takes, --returns, the layouts, and the penalty."""
    added = [
        click.option("--takes", metavar="NAMES", help=f"What a layer takes, in its own order, of {', '.join(TAKEN)}."),
        click.option(
            "--returns", metavar="NAMES", help=f"What it returns, in its own order, of {', '.join(RETURNED)}."
        ),
        *(
            click.option(f"--{name.replace('_', '-')}", type=click.Choice(known), help=f"How its {name[:-7]} lies.")
            for name, known in LAYOUTS.items()
        ),
        click.option("--l2-form", type=click.Choice(L2_FORMS), help="Its penalty is l2/2 |W|^2, or l2 |W|^2."),
        click.option("--l2-takes-bias", is_flag=True, default=None, help="Its bias is penalised too."),
    ]
    for one in reversed(added):
        command = one(command)
    return command


def layer_claims_given(given: dict[str, Any]) -> dict[str, Any]:
    """The claims made by those options, which are taken out."""
    names = ("takes", "returns", *LAYOUTS, "l2_form", "l2_takes_bias")
    claims = {name: given.pop(name) for name in names}
    return {name: value for name, value in claims.items() if value}
