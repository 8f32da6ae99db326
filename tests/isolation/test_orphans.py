"""What a worker leaves behind in any session, without an environment and without a parent, is ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gradlab.isolation.orphans import orphans_adopted

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to a process that asks")

LEAVES_ONE = (
    "import os, sys, time\n"
    "if os.fork(): sys.exit()\n"
    "os.setsid()\n"
    "if os.fork(): sys.exit()\n"
    "open(sys.argv[1], 'w').write(str(os.getpid()))\n"
    "time.sleep(500)\n"
)


def left_behind(place: Path) -> int:
    """The number of a process whose parents have ended."""
    subprocess.run([sys.executable, "-c", LEAVES_ONE, str(place)], check=True, env={})
    while not (place.exists() and place.read_text()):
        time.sleep(0.01)
    return int(place.read_text())


def lives(process: int) -> bool:
    """Whether there is such a process."""
    return Path(f"/proc/{process}").exists()


def test_what_nobody_has_started_here_is_ended(tmp_path: Path) -> None:
    with orphans_adopted():
        orphan = left_behind(tmp_path / "pid")
        assert lives(orphan)
    assert not lives(orphan)


def test_a_child_that_was_there_before_stays(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        with orphans_adopted():
            left_behind(tmp_path / "pid")
        assert child.poll() is None
        child.communicate(b"\n")


def test_afterwards_orphans_go_where_they_went_before(tmp_path: Path) -> None:
    with orphans_adopted():
        pass
    orphan = left_behind(tmp_path / "pid")
    fields = Path(f"/proc/{orphan}/stat").read_text().rpartition(")")[2].split()
    os.kill(orphan, 9)
    assert int(fields[1]) != os.getpid()
