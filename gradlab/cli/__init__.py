"""The command line: its commands, and the one place where an exit status is decided for what goes wrong."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from gradlab.cli.atlas import atlas
from gradlab.cli.cases import cases
from gradlab.cli.certify import certify
from gradlab.cli.check import check
from gradlab.cli.collapse import collapse
from gradlab.cli.compare import compare
from gradlab.cli.conform import conform
from gradlab.cli.derive import derive
from gradlab.cli.doctor import doctor
from gradlab.cli.exhaustive import exhaustive
from gradlab.cli.explain import explain
from gradlab.cli.grade import grade
from gradlab.cli.history import history
from gradlab.cli.judge import judge
from gradlab.cli.lab import lab
from gradlab.cli.lesson import lesson
from gradlab.cli.listing import listing
from gradlab.cli.replay import replay
from gradlab.cli.report import report
from gradlab.cli.signals import ENDING, Ended, handle_signals
from gradlab.cli.status import Status
from gradlab.evaluation.text import visible
from gradlab.storage.files import OutputError
from gradlab.targets.importing import TargetError

LONGEST_LINE = 1000  # characters of an error that are shown


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an error of gradlab's own.")
@click.version_option(package_name="gradlab-verify", prog_name="gradlab")
@click.pass_context
def gradlab(context: click.Context, debug: bool) -> None:
    """Is a softmax cross-entropy and its gradient right, how accurate is it, and where does it break?

    Exit status: 0 the level is met, 1 it is not, 2 usage or a target that does not load, 3 an error of gradlab's own,
    4 nothing was checked, 130 interrupted.
    """
    context.obj["debug"] = debug


for command in (
    check,
    judge,
    conform,
    replay,
    cases,
    compare,
    report,
    history,
    exhaustive,
    atlas,
    certify,
    collapse,
    explain,
    lesson,
    grade,
    listing,
    derive,
    lab,
    doctor,
):
    gradlab.add_command(command)


def main() -> NoReturn:
    """Runs the command given on the command line, and exits; SIGTERM and SIGHUP end it as Ctrl-C does."""
    _open_standard_streams()
    handle_signals()
    sys.exit(status_of(sys.argv[1:]))


def _open_standard_streams() -> None:
    """Opens those that are closed, to nowhere: no other file may take their descriptors."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w", closefd=False))


def status_of(arguments: Sequence[str]) -> Status:
    """The exit status of a command; whatever goes wrong is said in one line on stderr."""
    settings: dict[str, Any] = {"debug": False}
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a terminal that lacks one
    try:
        with gradlab.make_context("gradlab", list(arguments), obj=settings) as context:
            return Status(gradlab.invoke(context))
    except click.exceptions.Exit as done:
        return Status(done.exit_code)
    except Ended as ended:
        return _say(f"interrupted by {signal.Signals(ended.number).name}", ENDING[ended.number])
    except (KeyboardInterrupt, click.Abort):
        return _say("interrupted", Status.INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as help_wanted:
        click.echo(help_wanted.format_message())
        return Status.USAGE
    except click.ClickException as error:
        return _say(error.format_message(), Status.USAGE)
    except (TargetError, OutputError) as error:
        return _say(str(error), Status.USAGE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads: no complaint at exit either
        return Status.NOT_MET
    except OSError as error:  # a full disk, a folder that is gone
        return _say(f"{error}", Status.USAGE)
    except (Exception, SystemExit) as error:  # code under test in this process may raise SystemExit anywhere
        if settings["debug"]:
            traceback.print_exc()
        return _say(_internal(error, settings["debug"]), Status.INTERNAL)


def _internal(error: BaseException, debug: bool) -> str:
    from gradlab.evaluation.foreign import describe_error

    said = describe_error(error)
    return said if debug else f"an error of gradlab's own: {said} (`gradlab --debug ...` shows where)"


def _say(text: str, status: Status) -> Status:
    with contextlib.suppress(OSError):  # nobody can read it, and the status tells
        for line in text.splitlines():
            click.echo(f"gradlab: {visible(_shortened(line))}", err=True)
    return status


def _shortened(line: str) -> str:
    """The line without its middle where it is long: a file may name anything."""
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE // 2]} ... {line[-LONGEST_LINE // 2 :]}"
