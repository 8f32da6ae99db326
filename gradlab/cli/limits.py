"""The options that say how an implementation is isolated, shared by the commands that run one."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from typing import Any

import click

from gradlab.isolation.limits import Limits, spelled_bytes
from gradlab.targets.importing import TargetError

MIN_MEMORY = 1 << 27  # a worker takes about half of it before it calls anything
_UNITS = {
    "": 1,
    **{
        f"{letter}{end}": 1 << power
        for power, letter in ((10, "k"), (20, "m"), (30, "g"), (40, "t"))
        for end in ("", "b", "ib")
    },
}


class Size(click.ParamType[int]):
    """An amount of memory: a number of bytes, or one with a unit, such as 512MiB or 4GiB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number of bytes; KiB, MiB, GiB and TiB are powers of 1024, with or without their end."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?) *([a-z]*)", str(value).strip().lower())
        unit = _UNITS.get(found[2]) if found else None
        if found is None or unit is None or not MIN_MEMORY <= float(found[1]) * unit < math.inf:
            least = spelled_bytes(MIN_MEMORY)
            self.fail(f"must be a size such as 512MiB or 4GiB, and at least {least}, got {value!r:.60}", param, ctx)
        return int(float(found[1]) * unit)


class Time(click.ParamType[float]):
    """A time in seconds or minutes, whatever `name` says: finite and above 0."""

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number of them."""
        try:
            given = float(value)
        except ValueError:
            given = math.nan
        if not 0 < given < math.inf:
            self.fail(f"must be a finite number of {self.name} above 0, got {value!r:.60}", param, ctx)
        return given


class Packages(click.ParamType[tuple[str, ...]]):
    """Names of packages, with commas between them."""

    name = "packages"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The names."""
        if isinstance(value, tuple):
            return value
        return tuple(filter(None, (name.strip() for name in str(value).split(","))))


def forbid_option(more: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds --forbid to a command; more: what is to be added to its help."""
    words = f"Packages, with commas between them, that the code may not import, such as torch,jax.{more}"
    return click.option("--forbid", "forbidden", type=Packages(), metavar="PACKAGES", default=(), help=words)


def isolation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --in-process, --call-seconds, --load-seconds and --memory to a command."""
    own = Limits()
    options = (
        click.option("--in-process", is_flag=True, help="Run in gradlab's own process, which a crash ends."),
        click.option("--call-seconds", type=Time("seconds"), default=own.call_seconds,
                     show_default=True, metavar="N", help="How many seconds one call may take."),
        click.option("--load-seconds", type=Time("seconds"), default=own.load_seconds,
                     show_default=True, metavar="N", help="How many seconds loading a target may take."),
        click.option("--memory", type=Size(), default=own.memory, metavar="SIZE",
                     help=f"How much memory its process may use.  [default: {spelled_bytes(own.memory)}]"),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def sandbox_option(more: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds --sandbox to a command; more: what is to be added to its help."""
    words = f"Run the code in a sandbox of bubblewrap: no network, no files to write, limited processes.{more}"
    return click.option("--sandbox", is_flag=True, help=words)


def limits_of(given: dict[str, Any]) -> Limits | None:
    """The limits given by those options, which are taken out; None where all is to run in this process."""
    apart = not given.pop("in_process") and os.name == "posix"
    in_sandbox = given.pop("sandbox", False)
    limits = Limits(given.pop("call_seconds"), given.pop("load_seconds"), given.pop("memory"), in_sandbox)
    if in_sandbox:
        _refuse_without_sandbox()
    return limits if apart else None


def _refuse_without_sandbox() -> None:
    from gradlab.isolation.sandbox import SandboxError, refuse_without_sandbox

    try:
        refuse_without_sandbox()
    except SandboxError as error:
        raise TargetError(str(error)) from None
