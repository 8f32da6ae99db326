"""What a worker may take, and how it is said what ended one."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass

from gradlab.evaluation.user_frame import place_in

LOADING, TIMING = "loading", "time"
MAX_OUTPUT = 1 << 26  # bytes that one call may write to stdout and stderr
TIMED_CALLS = 10  # what `gradlab check --time` does with one implementation may take as long as so many calls
MAX_PROCESSES = 200  # that a worker may have started at one time
LOST_CONNECTION = 113  # the exit status of a worker that cannot speak any more
CANNOT_GO_ON = 114  # of one in which gradlab's own code does not work any more
BUSY_SILENCE, IDLE_SILENCE = 300.0, 20.0  # seconds at least that pass between signs of life, computing or not
DEVICE_LOST = 115  # of one whose accelerator does not compute any more
STOPS = ("", "its time was up (`--minutes`)", "it was interrupted")  # why a run is asked to conclude, by number
TIME_IS_UP, INTERRUPTED = 1, 2
LEFT_UNUSABLE = "left its process so that gradlab could not go on in it"
FOREIGN_FRAME = "wrote into a file descriptor that is gradlab's"
SHOWN = 200  # characters of what a process said last

_MEANINGS: dict[int, str] = {
    signal.SIGSEGV: ", a segmentation fault",
    signal.SIGABRT: ", as abort() does",
    signal.SIGFPE: ", an arithmetic exception",
    signal.SIGILL: ", an illegal instruction",
    signal.SIGBUS: ", a bus error",
}
_FRAME = re.compile(r'^  File "(.*)", line (\d+) in ', re.MULTILINE)
_DUMP = re.compile(r"Fatal Python error: .*|^Current thread |^Thread 0x", re.MULTILINE)


@dataclass(frozen=True)
class Limits:
    """Seconds for one call, and for loading a target; bytes of memory (resident) for a worker.

    in_sandbox: whether what is judged runs in a sandbox of the system's, too.
    """

    call_seconds: float = 60.0
    load_seconds: float = 120.0
    memory: int = 4 << 30
    in_sandbox: bool = False

    def silence(self, is_idle: bool) -> float:
        """How many seconds may pass between two signs of life, in or between calls, of a process that is idle or not.

        gradlab's own code waits for nothing, and computes for seconds at most.
        """
        return max(self.call_seconds, IDLE_SILENCE) if is_idle else max(2 * self.call_seconds, BUSY_SILENCE)

    def seconds_for(self, purpose: str) -> float:
        """How long something with this purpose may take."""
        if purpose == LOADING:
            return self.load_seconds
        return self.call_seconds * (TIMED_CALLS if purpose == TIMING else 1)


def spelled_bytes(n_bytes: int) -> str:
    """A number of bytes for people, such as 4 GiB."""
    for power, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if n_bytes >= 1 << power:
            return f"{n_bytes / (1 << power):.3g} {unit}"
    return f"{n_bytes} bytes"


def spelled_end(status: int) -> str:
    """How a process ended, by its return code as subprocess gives it."""
    if status == LOST_CONNECTION:
        return "closed file descriptors that were gradlab's"
    if status == CANNOT_GO_ON:
        return LEFT_UNUSABLE
    if status == DEVICE_LOST:
        return "left its device in a state in which nothing runs there any more"
    if status >= 0:
        return f"ended its process with exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"ended its process by {name}{_MEANINGS.get(-status, '')}"


def last_words(output: str) -> str:
    """Where in the user's code a process ended, and the last line that it wrote before; "" where neither is known.

    output: what it wrote, with the traceback of Python's faulthandler, innermost frame first.
    """
    dump = _DUMP.search(output)
    frames = [(file, int(line)) for file, line in _FRAME.findall(output[dump.start() :])] if dump else []
    before = [line.strip() for line in output[: dump.start() if dump else None].splitlines() if line.strip()]
    said = f"; it said {before[-1][:SHOWN]!r}" if before else ""
    return place_in(frames[::-1]) + said


def n_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
