"""The processes of the ranks: all are asked at once, and whatever one of them does is an answer or an error."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path

from gradlab.adapters.rank_program import RankAnswer, RankQuestion
from gradlab.isolation.child import command_of
from gradlab.isolation.limits import spelled_end

PATIENCE = 30.0  # seconds in which all ranks answer
STARTING = 90.0  # seconds in which they have imported torch and found each other; and in which the first call is made
GRACE = 1.0  # seconds in which the others answer once one has failed: they may wait for it in vain
MAX_STARTS = 6  # of the processes: each costs as much as importing torch so often


class RankError(RuntimeError):
    """What a rank did instead of answering."""


@dataclass(frozen=True)
class Ranked:
    """What the ranks run: so many of the loss that a reference leads to, from the folder `here`."""

    size: int
    reference: str
    here: str


class RankProcesses:
    """Processes that are started when they are first asked, and again after one of them has failed."""

    def __init__(self, ranked: Ranked) -> None:
        self._ranked = ranked
        self._ends: list[Connection] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        self._n_starts = 0
        self._given_up = ""

    @property
    def size(self) -> int:
        """How many there are."""
        return self._ranked.size

    def returns_a_pair(self) -> bool:
        """Whether the loss returns its gradient too; False where the ranks do not come as far as that."""
        try:
            return self._start()[0].is_pair
        except RankError:
            return False

    def ask(self, questions: Sequence[RankQuestion]) -> list[RankAnswer]:
        """What each rank answers to its question. Raises RankError where one does not, or has an error to tell."""
        if not self._processes:
            self._start()
        for end, question in zip(self._ends, questions, strict=True):
            with suppress(OSError):  # it has ended, which its answer will say
                end.send(question)
        return self._answers(PATIENCE)

    def close(self) -> None:
        """Ends all processes."""
        if self._processes:
            self._finish()
        self._ends, self._processes = [], []

    def _start(self) -> list[RankAnswer]:
        """What the ranks first say. Raises RankError where they do not."""
        self.close()
        if self._n_starts == MAX_STARTS and not self._given_up:
            self._given_up = f"they have ended {MAX_STARTS} times"
        if self._given_up:
            raise RankError(f"the ranks are not started again: {self._given_up}")
        self._n_starts += 1
        meeting = tempfile.mkdtemp()
        try:
            for rank in range(self._ranked.size):
                self._start_rank(rank, str(Path(meeting) / "ranks"))
            self._finish = weakref.finalize(self, _end, self._processes, self._ends)
            self._answers(STARTING)
            return self._answers(STARTING)
        finally:
            shutil.rmtree(meeting, ignore_errors=True)

    def _start_rank(self, rank: int, meeting: str) -> None:
        ours, theirs = Pipe()
        setting = {
            "connection": theirs.fileno(),
            "parent": os.getpid(),
            "rank": rank,
            "size": self._ranked.size,
            "reference": self._ranked.reference,
            "meeting": meeting,
            "seconds": PATIENCE,
        }
        command = command_of("gradlab.adapters.rank_program", setting)
        with theirs:
            process = subprocess.Popen(command, cwd=self._ranked.here, pass_fds=(theirs.fileno(),))
        self._ends.append(ours)
        self._processes.append(process)

    def _answers(self, seconds: float) -> list[RankAnswer]:
        """What each rank says next. Raises RankError, after which those that still compute are ended."""
        answers: dict[int, RankAnswer] = {}
        faults: dict[int, str] = {}
        gone: list[int] = []
        end = time.monotonic() + seconds
        while waiting := {one: rank for rank, one in enumerate(self._ends) if rank not in answers}:
            ready = wait([*waiting], max(0.0, end - time.monotonic()))
            if not ready:
                break
            for one in ready:
                rank = waiting[one]  # type: ignore[index]  # nothing else is waited for
                answers[rank] = self._received(rank, gone)
                if answers[rank].fault:
                    faults[rank] = answers[rank].fault
                    end = min(end, time.monotonic() + GRACE)
        late = [rank for rank in range(self.size) if rank not in answers]
        if late or gone:
            self.close()
        if faults:
            first = gone[0] if gone else min(faults)
            raise RankError(self._told({first: faults[first], **({} if gone else faults)}, late))
        if late:
            who = " and ".join(map(str, late))
            self._given_up = f"rank {who} of {self.size} did not answer within {seconds:g} s"
            raise RankError(self._given_up)
        return [answers[rank] for rank in range(self.size)]

    def _received(self, rank: int, gone: list[int]) -> RankAnswer:
        """What a rank says; one that has ended instead is added to those that are gone."""
        try:
            said: RankAnswer = self._ends[rank].recv()
            return said
        except (EOFError, OSError):
            status: int | None = None
            with suppress(subprocess.TimeoutExpired):
                status = self._processes[rank].wait(GRACE)
            gone.append(rank)
            return RankAnswer(fault="closed its connection" if status is None else spelled_end(status))

    def _told(self, faults: dict[int, str], late: list[int]) -> str:
        """What failed, in one line: the first of the faults, others of their own, and who waited in vain."""
        first = next(iter(faults))
        others = [rank for rank in faults if faults[rank] != faults[first]]
        told = f"rank {first} of {self._ranked.size} {faults[first]}"
        told += "".join(f"; rank {rank} {faults[rank]}" for rank in others)
        return told + "".join(f"; rank {rank} waited for it" for rank in late)


def _end(processes: list[subprocess.Popen[bytes]], ends: list[Connection]) -> None:
    for end in ends:
        end.close()
    for process in processes:
        process.kill()
        process.wait()
