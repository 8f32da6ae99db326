"""Judgements over a socket: a process that stays, asked and answered in lines of JSON, and what asks it.

What a run loads is loaded once, and truth that one judgement has worked out serves the next. Targets are run in new
processes all the same. Whoever may write to the socket may run code here: it is made for its owner alone.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import socket
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from gradlab.judgement.judge import Judge, Question
from gradlab.storage.encoding import Plain
from gradlab.storage.files import parsed_json

MAX_LINE = 1 << 20  # bytes of a question
LOOK = 0.2  # seconds between looks at whether it is to end
PATIENCE = 60.0  # seconds in which a question must be there that has begun
NAMES = tuple(one.name for one in fields(Question))


class ServerError(Exception):
    """Why there is nobody to ask, or nothing can be served: one line, for people."""


class Server:
    """Answers one question after the other; to be used in a `with` statement, which removes the socket."""

    def __init__(self, path: Path, judge: Judge) -> None:
        """Raises ServerError where a socket cannot be made at the path, or somebody answers there."""
        self._path, self._judge = path, judge
        self._listening = _listening_at(path)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    def serve(self) -> None:
        """Answers for good; an exception of its own, such as KeyboardInterrupt, ends it."""
        while True:
            self.serve_one()

    def serve_one(self) -> None:
        """Answers all that the next one asks who connects."""
        _await(self._listening)
        connection, _ = self._listening.accept()
        with connection, contextlib.suppress(OSError, UnicodeDecodeError):  # whoever asked has gone, or says nothing
            connection.settimeout(PATIENCE)
            for line in _lines_of(connection, PATIENCE):
                connection.sendall(json.dumps(self._answer(line)).encode() + b"\n")

    def _answer(self, line: str) -> Plain:
        """The judgement; or `error`, for what is no question."""
        try:
            return self._judge.judge(question_of(parsed_json(line))).to_json()
        except (ValueError, TypeError) as error:
            return {"error": f"{error}"}


def question_of(document: Any) -> Question:
    """The question that plain data are. Raises ValueError that says what is wrong with it."""
    if not isinstance(document, Mapping) or not isinstance(document.get("target"), str):
        raise ValueError(f"a question must be an object with a target, got {document!r:.60}")
    for name in document:
        if name not in NAMES:
            raise ValueError(f"a question has {', '.join(NAMES)}, not {name!r:.60}")
    given = dict(document)
    _refuse(given, "seed", "a whole number from 0 on", lambda one: type(one) is int and one >= 0)
    _refuse(given, "profile", "a text", lambda one: isinstance(one, str))
    _refuse(given, "level", "a text or null", lambda one: one is None or isinstance(one, str))
    for name in ("dtypes", "forbidden"):
        _refuse(given, name, "a list of texts", _is_list_of_texts)
    _refuse(given, "claims", "an object", lambda one: isinstance(one, Mapping))
    for name in ("time", "verbose"):
        _refuse(given, name, "true or false", lambda one: isinstance(one, bool))
    _refuse(given, "minutes", "a number above 0, or null", lambda one: one is None or _is_above_0(one))
    _refuse(given, "here", "the path of a folder", lambda one: isinstance(one, str) and os.path.isdir(one))
    given |= {name: tuple(given[name]) for name in ("dtypes", "forbidden") if name in given}
    if "here" in given:
        given["here"] = Path(given["here"])
    return Question(**given)


def _refuse(given: Mapping[str, Any], name: str, wanted: str, holds: Any) -> None:
    if name in given and not holds(given[name]):
        raise ValueError(f"{name} must be {wanted}, got {given[name]!r:.60}")


def _is_list_of_texts(one: Any) -> bool:
    return isinstance(one, list) and all(isinstance(text, str) for text in one)


def _is_above_0(one: Any) -> bool:
    return type(one) in (int, float) and 0 < one < float("inf")


def ask(path: Path, question: Mapping[str, Any]) -> Any:
    """The judgement, as plain data, of a server at this path. question: fields of `Question`, as plain data.

    Raises ServerError where nobody answers, and ValueError for what is no question.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(os.fspath(path))
            connection.sendall(json.dumps(dict(question)).encode() + b"\n")
            line = next(_lines_of(connection, math.inf), "")
    except OSError as error:
        raise ServerError(f"nobody judges at {path}: {error.strerror or error}") from None
    if not line:
        raise ServerError(f"the server at {path} ended before it answered")
    answer = parsed_json(line)
    if "error" in answer:
        raise ValueError(answer["error"])
    return answer


def _await(one: socket.socket, seconds: float = math.inf) -> None:
    """Waits until something has come; a signal that another thread takes ends that, too. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not select.select([one], [], [], LOOK)[0]:
        if time.monotonic() > end:
            raise TimeoutError(f"nothing came within {seconds:g} s")


def _lines_of(connection: socket.socket, seconds: float) -> Iterator[str]:
    """Lines as they come, until there are no more, or one is too long. Raises OSError where none comes in time."""
    kept = bytearray()
    while True:
        _await(connection, seconds)
        if not (came := connection.recv(1 << 16)):
            return
        kept += came
        while (end := kept.find(b"\n")) >= 0:
            yield kept[:end].decode()
            del kept[: end + 1]
        if len(kept) > MAX_LINE:
            return


def _listening_at(path: Path) -> socket.socket:
    """A socket at the path, for its owner alone; one that nobody listens at any more is replaced."""
    if path.exists() or path.is_symlink():
        _remove_what_is_left(path)
    listening = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listening.bind(os.fspath(path))
        listening.listen()
    except OSError as error:
        listening.close()
        raise ServerError(f"cannot serve at {path}: {error.strerror or error}") from None
    finally:
        os.umask(before)
    return listening


def _remove_what_is_left(path: Path) -> None:
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise ServerError(f"cannot serve at {path}: it exists, and is no socket")
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(os.fspath(path))
        except OSError:
            path.unlink()
            return
    raise ServerError(f"cannot serve at {path}: another server answers there")
