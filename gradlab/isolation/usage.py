"""What a process takes of the machine, with all that it has started: memory, processor time, processes."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """memory: bytes. n_processes: it, and what it has started. Both are 0 where there is no /proc."""

    memory: int = 0
    n_processes: int = 0


def usage_of(process: int) -> Usage:
    """What a process takes, with its session and its descendants: all of /proc is read, some milliseconds."""
    others = _started_by(process) - {process}
    memory = memory_of(process)
    return Usage(memory + sum(map(_memory_of_its_own, others)), (memory > 0) + len(others))


def memory_of(process: int) -> int:
    """The bytes of memory in which a process resides; 0 where that cannot be read."""
    try:
        with open(f"/proc/{process}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def most_memory_of(process: int) -> int:
    """The most bytes of memory in which a process has resided so far; 0 where that is not known."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        said = Path(f"/proc/{process}/status").read_text().partition("VmHWM:")[2]
        return int(said.split()[0]) * 1024
    return 0


def forget_most_memory() -> None:
    """Has `most_memory_of` this process begin anew from what it resides in now, where Linux allows that."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def processor_seconds(process: int) -> float:
    """The processor time that a process has used; 0 where that cannot be read."""
    fields = _fields(process)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def parents_of_all() -> dict[int, int]:
    """The parent of every process there is; none where there is no /proc."""
    return {number: int(fields[1]) for number in _processes() if (fields := _fields(number))}


def ancestors_of(process: int) -> set[int]:
    """The processes from which one descends; none where there is no /proc."""
    parents, found = parents_of_all(), set[int]()
    while process in parents:
        process = parents[process]
        found.add(process)
    return found


def _started_by(process: int) -> set[int]:
    """The processes of its session, and all that these have started whose parents live."""
    parents: dict[int, int] = {}
    found = {process}
    for number in _processes():
        if fields := _fields(number):
            parents[number] = int(fields[1])
            if int(fields[3]) == process:
                found.add(number)
    while more := {one for one, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _processes() -> list[int]:
    """The numbers of all processes; none where there is no /proc."""
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:
        return []


def _fields(process: int) -> list[str]:
    """What /proc/PID/stat has behind the name: state, parent, group, session and so on; nothing where it is gone."""
    try:
        with open(f"/proc/{process}/stat", "rb", buffering=0) as file:
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _memory_of_its_own(process: int) -> int:
    """What a process resides in, and of what it shares with others its part."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    except (OSError, ValueError, IndexError):
        return 0
