"""Frames arrive whole and in order however they are cut, and none is too long."""

from __future__ import annotations

from collections.abc import Iterator
from socket import socket, socketpair

import pytest

from gradlab.isolation.wire import MAX_BYTES, FrameError, SupervisorEnd, WorkerEnd


@pytest.fixture
def ends() -> Iterator[tuple[SupervisorEnd, socket]]:
    """The supervisor's end, and the other as a plain socket."""
    ours, theirs = socketpair()
    end = SupervisorEnd(ours)
    yield end, theirs
    end.close()
    theirs.close()


def frame(content: bytes) -> bytes:
    return len(content).to_bytes(8, "little") + content


def test_half_a_frame_is_kept_until_the_rest_comes(ends: tuple[SupervisorEnd, socket]) -> None:
    end, theirs = ends
    whole = frame(b"one") + frame(b"two")
    for place in range(len(whole)):
        theirs.send(whole[place : place + 1])
        if place < len(frame(b"one")) - 1:
            assert end.received() is None
    assert [end.received(), end.received(), end.received()] == [b"one", b"two", None]


def test_a_frame_has_a_largest_length(ends: tuple[SupervisorEnd, socket]) -> None:
    end, theirs = ends
    theirs.send((MAX_BYTES + 1).to_bytes(8, "little"))
    with pytest.raises(FrameError, match=f"must have {MAX_BYTES} bytes at most"):
        end.received()


def test_what_there_is_no_room_for_is_sent_later(ends: tuple[SupervisorEnd, socket]) -> None:
    end, theirs = ends
    end.send(bytes(1 << 23))  # returns, although nobody reads
    assert end.has_to_send
    taken = 0
    while taken < len(frame(bytes(1 << 23))):
        taken += len(theirs.recv(1 << 20))
        end.flush()
    assert not end.has_to_send


def test_an_end_that_is_closed_gives_nothing_and_takes_anything(ends: tuple[SupervisorEnd, socket]) -> None:
    end, theirs = ends
    theirs.close()
    end.send(b"lost")
    assert end.received() is None
    assert not end.has_to_send


def test_a_worker_reads_what_its_supervisor_sends(ends: tuple[SupervisorEnd, socket]) -> None:
    end, theirs = ends
    worker = WorkerEnd(theirs)
    end.send(b"task")
    assert worker.receive() == b"task"
    worker.send(b"result")
    assert end.received() == b"result"
    end.close()
    with pytest.raises(EOFError):
        worker.receive()
