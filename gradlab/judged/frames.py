"""What the two processes say to each other: a fixed header, and plain data behind it.

What is asked is written by Python's marshal: the judged process trusts the one that judges. What is answered is JSON,
as that one trusts nobody. A question has a number that nobody can guess, and the frame that answers it has the same:
what is said before the question, or to another one, is no answer.
"""

from __future__ import annotations

import json
import marshal
from dataclasses import dataclass
from socket import socket
from struct import Struct
from typing import Any

MAGIC = b"grad"
VERSION = 1
NUMBER = 16  # bytes that tell a question from all others
MAX_BYTES = 1 << 26  # of the JSON: what is large lies in memory that is shared
BEGIN, LOAD, CALL, MEASURE = 0, 1, 2, 3  # the kinds of questions; an answer is of the kind of its question
AT_A_TIME = 1 << 16
_HEAD = Struct(f"=4sHH{NUMBER}sQ")  # magic, version, kind, number, bytes that follow
_ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False)
_DECODER = json.JSONDecoder()


class FrameError(ValueError):
    """What came through is no frame, or not the one that was waited for."""


@dataclass(frozen=True)
class Frame:
    """kind: of the question. number: of the question, as bytes. content: plain data, by name."""

    kind: int
    number: bytes
    content: dict[str, Any]


def pack_question(frame: Frame) -> bytes:
    """A question as it is sent."""
    return _pack(frame, marshal.dumps(frame.content))


def pack_answer(frame: Frame) -> bytes:
    """An answer as it is sent. Raises FrameError for one that is too long."""
    text = _ENCODER.encode(frame.content).encode()
    if len(text) > MAX_BYTES:
        raise FrameError(f"a frame must have {MAX_BYTES} bytes at most, got {len(text)}")
    return _pack(frame, text)


def _pack(frame: Frame, content: bytes) -> bytes:
    return _HEAD.pack(MAGIC, VERSION, frame.kind, frame.number, len(content)) + content


class Incoming:
    """Bytes as they come, until they are the frame that answers one question."""

    def __init__(self, kind: int, number: bytes) -> None:
        self._kind, self._number = kind, number
        self._bytes = bytearray()
        self._end = 0  # how many bytes the frame has; not known before its header has come

    @property
    def is_whole(self) -> bool:
        """Whether all of it has come."""
        return self._end > 0 and len(self._bytes) == self._end

    def add(self, content: bytes) -> bytes:
        """Takes in what has come, and returns what lies behind the frame.

        Raises FrameError at the first byte that is not as it must be.
        """
        self._bytes += content
        if not self._end and len(self._bytes) >= _HEAD.size:
            self._end = self._read_header()
        if not self._end or len(self._bytes) <= self._end:
            return b""
        behind = bytes(self._bytes[self._end :])
        del self._bytes[self._end :]
        return behind

    def frame(self) -> Frame:
        """The frame, when it is whole. Raises FrameError where its content is not plain data by name."""
        try:
            content = _DECODER.decode(self._bytes[_HEAD.size :].decode())
        except (ValueError, RecursionError) as error:
            raise FrameError(f"its content is no JSON: {type(error).__name__}") from None
        if not isinstance(content, dict):
            raise FrameError("its content has no names")
        return Frame(self._kind, self._number, content)

    def _read_header(self) -> int:
        magic, version, kind, number, length = _HEAD.unpack_from(self._bytes)
        if (magic, version, kind) != (MAGIC, VERSION, self._kind):
            raise FrameError("it does not begin as a frame does")
        if number != self._number:
            raise FrameError("it answers another question")
        if length > MAX_BYTES:
            raise FrameError(f"a frame must have {MAX_BYTES} bytes at most, got {length}")
        return _HEAD.size + int(length)


def receive(end: socket) -> Frame:
    """The next question, for whoever trusts the asker. Raises EOFError where there will be none."""
    magic, version, kind, number, length = _HEAD.unpack(_exactly(end, _HEAD.size))
    if (magic, version) != (MAGIC, VERSION):
        raise EOFError
    return Frame(kind, number, marshal.loads(_exactly(end, length)))


def _exactly(end: socket, n_bytes: int) -> bytes:
    content = bytearray()
    while len(content) < n_bytes:
        came = end.recv(min(n_bytes - len(content), AT_A_TIME))
        if not came:
            raise EOFError
        content += came
    return bytes(content)
