"""`gradlab judge` tells people and machines the same, and its status says whether the level is met."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from gradlab.cli import status_of
from gradlab.harness.verdict import Verdict
from gradlab.judgement.judgement import BASE, FOR_TIME
from tests.judgement.conftest import NOT_AVERAGED, RIGHT, Written

PAGE = (Path(__file__).parents[2] / "docs" / "judge.md").read_text()
QUICKLY = ("--profile", "smoke", "--dtype", "float32", "--seed", "0")


def test_its_status_and_last_line_say_what_it_comes_to(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["judge", written(RIGHT), *QUICKLY]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1].startswith("verdict: stable; error over tolerance 0.")
    assert said[-2].startswith("time: ")
    assert status_of(["judge", written(NOT_AVERAGED), *QUICKLY]) == 1
    assert status_of(["judge", written("import nowhere\n"), *QUICKLY]) == 2


def test_json_goes_to_standard_output_alone_or_to_a_file(
    written: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, place = written(NOT_AVERAGED), tmp_path / "judgement.json"
    assert status_of(["judge", target, *QUICKLY, "--json", "-"]) == 1
    first = json.loads(capsys.readouterr().out)
    assert status_of(["judge", target, *QUICKLY, "--json", str(place)]) == 1
    again = json.loads(place.read_text())
    assert {**first, "measured": None} == {**again, "measured": None}
    assert first["diagnosis"]["alternatives"][0]["defects"] == ["gradient_not_divided"]
    assert "given up as wrong" in capsys.readouterr().out


def test_verbose_shows_every_failure(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    target = written(NOT_AVERAGED)
    counts = []
    for more in ((), ("--verbose",)):
        assert status_of(["judge", target, *QUICKLY, *more]) == 1
        counts.append(capsys.readouterr().out.count("FAIL "))
    assert counts[0] == 1 < counts[1]


def test_a_seed_is_drawn_and_told(written: Written, capsys: pytest.CaptureFixture[str]) -> None:
    seeds = set()
    for _ in range(2):
        status_of(["judge", written(NOT_AVERAGED), "--json", "-"])
        seeds.add(json.loads(capsys.readouterr().out)["seed"])
    assert len(seeds) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give a TARGET, or --serve SOCKET"),
        (("x", "--serve", "s"), "give a TARGET, or --serve SOCKET"),
        (("x", "--in-process"), "must run in a process of its own"),
        (("x", "--seed", "-1"), "must be a number from 0 on, or random, got '-1'"),
    ],
)
def test_bad_options_are_said(options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["judge", *options]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("in_an_empty_folder")
def test_the_page_prints_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    (source,) = re.findall(r"```python\n# kernel.py\n(.*?)```", PAGE, re.DOTALL)
    Path("kernel.py").write_text(source)
    ((command, shown),) = re.findall(r"```console\n\$ gradlab (.*?)\n(.*?)```", PAGE, re.DOTALL)
    assert status_of(shlex.split(command)) == 1
    said = capsys.readouterr().out
    for line in shown.splitlines():
        assert re.search(f"^{re.escape(line).replace(re.escape('...'), '.*')}$", said, re.MULTILINE), said


def test_the_page_has_the_rewards() -> None:
    for verdict in Verdict:
        if verdict is not Verdict.WRONG:
            assert f"| {verdict} | {BASE[verdict]:g}" in PAGE
    assert PAGE.count(f"and {FOR_TIME:g} / (1 + time over the yardstick's)") == 2


# Leaves a process in a session of its own, whose parent is gone and whose environment is empty.
DAEMON = """
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open({!r}, "w").write(str(os.getpid()))
        os.execve("/bin/sleep", ["sleep", "613"], {{}})
    os._exit(0)
os.wait()
"""


def _is_daemon(place: Path) -> bool:
    with contextlib.suppress(OSError):
        return place.read_bytes() == b"sleep\0613\0"
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux alone")
def test_what_code_leaves_running_is_ended(written: Written, tmp_path: Path) -> None:
    place = tmp_path / "daemon"
    assert status_of(["judge", written(DAEMON.format(str(place)) + NOT_AVERAGED), *QUICKLY]) == 1
    assert place.read_text()
    assert not [one for one in Path("/proc").glob("[0-9]*/cmdline") if _is_daemon(one)]
