"""The process that is judged: it loads a target and calls it with the arrays that come, until nobody asks any more.

It knows nothing of problems, exact answers and tolerances. Whatever code under test does to it, the process that judges
hears answers, or none.
"""

from __future__ import annotations

import contextlib
import faulthandler
import inspect
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any

from gradlab.evaluation.call import GivenArguments, Implementation, Outcome, perform, settle
from gradlab.evaluation.capture import Capture
from gradlab.evaluation.foreign import ForeignError, describe, inert, leaves_of
from gradlab.evaluation.process_state import WATCHES
from gradlab.isolation.limits import CANNOT_GO_ON, LOST_CONNECTION
from gradlab.isolation.parent import die_with
from gradlab.isolation.streams import Folder, Streams
from gradlab.judged.arena import Arena
from gradlab.judged.arrays_there import ArraysThere
from gradlab.judged.forbidden import forbid, loaded, modules_of
from gradlab.judged.frames import CALL, LOAD, MEASURE, Frame, pack_answer, receive
from gradlab.judged.values import decode_value, encode_value
from gradlab.layer.parameters import parameters_of
from gradlab.problems.problem import Array
from gradlab.targets.definition import definition_of


@dataclass(eq=False)
class Host:
    """What the process has at hand.

    loaded: the implementations, in the order in which they were told. forbidden: the packages that they may not use.
    before: the modules of those that were loaded before.
    """

    connection: socket
    streams: Streams
    capture: Capture
    arrays: ArraysThere
    loaded: list[Implementation]
    forbidden: list[str] = field(default_factory=list)
    before: frozenset[str] = frozenset()


def start(connection: int, memory: list[int], parent: int, here: str, folder: str) -> None:
    """Answers questions that come through the connection until it is closed, and ends the process.

    memory: descriptors of what is given, and of what is answered. parent: the process that asks. here: the folder in
    which targets are given; folder: the one in which calls are made.
    """
    die_with(parent)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())
    for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM):
        signal.signal(one, signal.SIG_DFL)  # whatever the process that asks does with them
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.set_inheritable(connection, False)
    faulthandler.enable(os.dup(2), all_threads=False)
    os.chdir(here)
    given, answered = map(Arena, memory)
    for descriptor in memory:
        os.close(descriptor)
    streams = Streams(connection)
    watches = (*WATCHES, streams.same_streams, Folder(folder).same_files)
    host = Host(socket(fileno=connection), streams, Capture(streams.spill, watches), ArraysThere(given, answered), [])
    try:
        while True:
            _answer(host, receive(host.connection), folder)
    except EOFError:
        os._exit(0)  # whatever threads are left
    except OSError:
        os._exit(LOST_CONNECTION)
    except BaseException:
        os._exit(CANNOT_GO_ON)


def _answer(host: Host, question: Frame, folder: str) -> None:
    process = os.getpid()
    content: dict[str, Any] = {}
    if question.kind == LOAD:
        content = _load(host, question.content)
        os.chdir(folder)
        with contextlib.suppress(Exception):
            host.streams.output()  # what loading has written is no call's
    elif question.kind == CALL:
        content = _call(host, question.content)
    elif question.kind == MEASURE:
        content = _measure(host, question.content)
    if os.getpid() == process:
        host.connection.sendall(pack_answer(Frame(question.kind, question.number, content)))


def _load(host: Host, question: Mapping[str, Any]) -> dict[str, Any]:
    """What a target stands for, as plain data; or why it does not load."""
    from gradlab.targets.importing import MissingError, TargetError
    from gradlab.targets.in_scope import load_in_scope, load_offered

    host.forbidden, host.before = question["forbidden"], modules_of(question["forbidden"])
    forbid(host.forbidden)
    try:
        if question["is_of_folder"]:
            host.loaded = load_offered(Path(question["target"]), question["claims"], question["dtypes"])
        else:
            host.loaded = load_in_scope(question["target"], question["claims"], question["dtypes"])
    except TargetError as error:
        return {"fault": str(error), "is_missing": isinstance(error, MissingError), "found": []}
    return {"fault": "", "is_missing": False, "found": [_described(one) for one in host.loaded]}


def _described(one: Implementation) -> dict[str, Any]:
    parameters, keywords = parameters_of(one.function), {}
    function: Any = one.function
    definition = definition_of(function, one.target)
    if isinstance(function, partial):
        keywords, function = function.keywords, function.func
    return {
        "name": one.name,
        "target": one.target,
        "claims": asdict(one.claims),
        "parameters": None if parameters is None else [parameter.name for parameter in parameters],
        "keywords": {name: encode_value(inert(value), _no_array) for name, value in keywords.items()},
        "module": _module_of(function),
        "definition": None if definition is None else [definition.file, definition.line],
        "changed": list(one.changed),
    }


def _module_of(function: Any) -> str:
    """Where a function can be imported from under its name, or ""."""
    module, name = inspect.getmodule(function), getattr(function, "__qualname__", "")
    if module is None or not name.isidentifier() or getattr(module, name, None) is not function:
        return ""
    return module.__name__


def _no_array(array: Array) -> list[Any]:
    return ["described", describe(array)]


def _measure(host: Host, question: Mapping[str, Any]) -> dict[str, Any]:
    """What calls cost, as plain data."""
    from gradlab.measure.timing import timings

    return {"timings": [asdict(one) for one in timings(host.loaded[question["number"]], question["dtypes"])]}


def _call(host: Host, question: Mapping[str, Any]) -> dict[str, Any]:
    """What one call does, as plain data."""
    host.arrays.begin(question["released"], question["n_answered"], question["is_alone"])
    read = host.arrays.read
    arguments = tuple(decode_value(one, read) for one in question["arguments"])
    keywords = {name: decode_value(one, read) for name, one in question["keywords"].items()}
    keep: Callable[[Any], Any] = leaves_of if question["takes_apart"] else inert
    function = partial(_called, host, host.loaded[question["number"]].function, keep)
    outcome = perform(function, GivenArguments(arguments, keywords), host.capture, keep)
    changed_arguments, changed_results = host.arrays.changes()
    return {
        "value": encode_value(outcome.value, host.arrays.write),
        "error": _error(outcome),
        "noise": list(outcome.noise),
        "changed": [*outcome.changed, *loaded(host.forbidden, host.before)],
        "arguments": changed_arguments,
        "results": changed_results,
    }


def _error(outcome: Outcome) -> list[str] | None:
    if outcome.error is None:
        return None
    assert isinstance(outcome.error, ForeignError)  # nothing here refuses a call
    return [outcome.error.kind, outcome.error.text]


def _called(host: Host, function: Callable[..., Any], keep: Callable[[Any], Any], *given: Any, **named: Any) -> Any:
    """What a call returns, as plain data; what it wrote below Python is printed."""
    process = os.getpid()
    try:
        return settle(function, GivenArguments(given, named), keep)
    except KeyboardInterrupt:
        raise ForeignError("RuntimeError", "RuntimeError: it raised KeyboardInterrupt by itself") from None
    finally:
        if os.getpid() != process:
            os._exit(0)  # a child that the call has forked, and that came back here
        with contextlib.suppress(Exception):  # whatever has become of sys.stdout
            if said := host.streams.output():
                print(said, end="")
