"""Sandboxes by bubblewrap: no network, nothing to write to but a scratch folder, and limits that cannot be raised.

A process in one sees the files of this machine, and no others' processes.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gradlab.isolation import sandbox_program
from gradlab.isolation.usage import parents_of_all
from gradlab.judged import confinement

PROGRAM = "bwrap"
PARENT = 1  # the number, inside, of the process that starts the one that is to run
N_PROCESSES = 192  # and threads: fewer than MAX_PROCESSES, so that the kernel refuses before all is ended
N_DESCRIPTORS = 1024
FILE_BYTES = 1 << 30  # of one file
MAX_ROUNDS, BETWEEN_ROUNDS = 200, 0.01  # of removing a group, and seconds between them
SECONDS = 30.0  # in which a trial ends
WALLS = (
    *("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"),
    *("--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--cap-drop", "ALL", "--die-with-parent"),
)
PROGRAMS = {"start.py": sandbox_program, "confinement.py": confinement}
PIDS = Path("/sys/fs/cgroup/pids")  # where the groups of version 1 that count processes are
ENTER = ("sh", "-c", 'echo $$ > "$0" && exec "$@"')  # joins a group, and becomes the rest


class SandboxError(Exception):
    """Why there is no sandbox: one line, for people."""


@dataclass(frozen=True)
class Sandbox:
    """What a process in a sandbox may take. memory: bytes."""

    memory: int

    def limits(self) -> dict[str, int]:
        """The limits by the names of the module `resource`."""
        return {
            "RLIMIT_DATA": self.memory,
            "RLIMIT_FSIZE": FILE_BYTES,
            "RLIMIT_NOFILE": N_DESCRIPTORS,
            "RLIMIT_NPROC": N_PROCESSES,
            "RLIMIT_CORE": 0,
        }

    def command(self, command: Sequence[str], scratch: str) -> list[str]:
        """The command that runs another one in the sandbox. scratch: the folder that it may write to."""
        for name, module in PROGRAMS.items():
            assert module.__file__ is not None
            shutil.copy(module.__file__, Path(scratch) / name)
        walls = [*WALLS, "--size", str(self.memory), "--tmpfs", "/dev/shm", "--bind", scratch, scratch]
        inside = [sys.executable, "-S", "-E", str(Path(scratch) / "start.py"), json.dumps(self.limits())]
        return [PROGRAM, *walls, "--", *inside, *command]


class ProcessGroup:
    """A group of processes of the kernel's that has N_PROCESSES at most, for the superuser, whom no limit holds.

    enter: what goes before a command that is to be in it; nothing where there is no such group.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self.enter: tuple[str, ...] = ()
        if os.geteuid() != 0:
            return
        with contextlib.suppress(OSError):
            folder = _group_of_this_process() / f"gradlab-{secrets.token_hex(8)}"
            folder.mkdir()
            self._folder = folder
            (folder / "pids.max").write_text(str(N_PROCESSES))
            self.enter = (*ENTER, str(folder / "cgroup.procs"))

    def close(self) -> None:
        """Removes the group, whose processes have ended."""
        for _ in range(MAX_ROUNDS if self._folder is not None else 0):
            assert self._folder is not None
            with contextlib.suppress(OSError):
                self._folder.rmdir()
                return
            time.sleep(BETWEEN_ROUNDS)  # the last of them is about to end


def refuse_without_sandbox() -> None:
    """Raises SandboxError, with what to do, where no sandbox can be made here."""
    if shutil.which(PROGRAM) is None:
        raise SandboxError(f"--sandbox needs bubblewrap, the program {PROGRAM}: apt-get install bubblewrap, or alike")
    tried = subprocess.run(
        [PROGRAM, *WALLS, "--", sys.executable, "-S", "-E", "-c", ""],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    if tried.returncode != 0:
        said = tried.stderr.strip().splitlines()[-1:] or [f"it ended with exit status {tried.returncode}"]
        raise SandboxError(
            f"--sandbox cannot make a sandbox here: {said[0]};"
            " the system must allow unprivileged user namespaces, or gradlab be run by the superuser"
        )


def process_inside(outside: int) -> int | None:
    """The process that a sandbox runs, by the number of the sandbox's own; None where it is not there yet."""
    parents = parents_of_all()
    middle = [one for one, parent in parents.items() if parent == outside]
    found = [one for one, parent in parents.items() if parent in middle]
    return found[0] if found else None


def _group_of_this_process() -> Path:
    """Where this process's group is. Raises OSError where processes are not counted."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, kinds, path = line.split(":", 2)
        if kinds == "pids":
            return PIDS / path.lstrip("/")
    own = next(line for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
    folder = PIDS.parent / own[3:].lstrip("/")
    if "pids" not in (folder / "cgroup.subtree_control").read_text().split():
        raise OSError(f"processes are not counted below {folder}")
    return folder
