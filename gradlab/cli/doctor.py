"""`gradlab doctor`: what this machine's arithmetic is like."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from gradlab.cli.status import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradlab.harness.plan import Watch as Shown
    from gradlab.measure.function_sweep import Watch

FUNCTIONS = ("exp", "exp2", "log", "log1p", "expm1")


@click.command(short_help="What this machine's arithmetic is like.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--every",
    "swept",
    type=click.Choice([*FUNCTIONS, "all"]),
    multiple=True,
    metavar="FUNCTION",
    help=f"Measure it at all 2^32 float32 arguments, in minutes: {', '.join(FUNCTIONS)} or all.",
)
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many processes share the work of --every.",
)
def doctor(as_json: bool, swept: tuple[str, ...], processes: int) -> Status:
    """Versions, processor, rounding, subnormals, and the measured error of exp, exp2, log, log1p and expm1.

    The functions are measured at random arguments, and at those where a build of NumPy was found to be least accurate.
    Exit status 1 if the machine does not do what the bounds of level `stable` or level `accurate` assume.
    """
    from gradlab.measure.doctor import doctor_lines, examination
    from gradlab.storage.files import strict_json

    names = FUNCTIONS if "all" in swept else tuple(dict.fromkeys(swept))
    found = examination(list(_walks(names, processes)))
    click.echo(strict_json(found) if as_json else "\n".join(doctor_lines(found)))
    return Status.MET if found["sound"] and found["sound_for_accurate"] else Status.NOT_MET


def _walks(names: tuple[str, ...], n_processes: int) -> Iterator[dict[str, Any]]:
    from gradlab.measure.doctor import sweep_error
    from gradlab.measure.function_sweep import ALL
    from gradlab.oracle.elementary import ELEMENTARY
    from gradlab.report.progress import show_progress

    for function in ELEMENTARY:
        if function.name in names:
            with show_progress(function.name) as display:
                yield sweep_error(function, ALL, n_processes, _with_rate(display, function.name))


def _with_rate(display: Shown, name: str) -> Watch:
    from gradlab.harness.plan import Progress

    started = time.monotonic()

    def watch(done: int, total: int) -> None:
        left = (total - done) * (time.monotonic() - started) / done
        display(Progress(name, "float32", f"every argument, about {left:.0f} s left", done, total, 0))

    return watch
