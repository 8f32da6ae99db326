"""The options that name folders of what is kept, problems and certificates, shared by the commands that use them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gradlab.campaigns.exhaustive import CERTIFICATES
from gradlab.storage.files import CASES


def cases_option(purpose: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The decorator that adds `--cases DIR` to a command; purpose: its help."""
    return click.option(
        "--cases", type=click.Path(path_type=Path), default=CASES, show_default=True, metavar="DIR", help=purpose
    )


def certificates_option(purpose: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The decorator that adds `--certificates DIR` to a command; purpose: its help."""
    return click.option(
        "--certificates",
        type=click.Path(path_type=Path),
        default=CERTIFICATES,
        show_default=True,
        metavar="DIR",
        help=purpose,
    )
