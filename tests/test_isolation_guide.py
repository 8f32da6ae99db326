"""docs/isolation.md is true: its file is written, its command is run, and it says what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from gradlab.cli import status_of
from gradlab.cli.check import check
from gradlab.isolation import harm
from gradlab.isolation.limits import MAX_OUTPUT, Limits, spelled_bytes

GUIDE = (Path(__file__).parents[1] / "docs" / "isolation.md").read_text()


def without_counts(printed: str) -> str:
    """What is printed, with N for how many problems of how many: that changes with every family that is added."""
    return re.sub(r"\d+ of \d+ problems", "N of N problems", printed)


@pytest.mark.usefixtures("in_an_empty_folder")
def test_its_command_says_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    for name, source in re.findall(r"```python\n# (\S+)\n(.*?)```", GUIDE, re.DOTALL):
        Path(name).write_text(f"# {name}\n{source}")
    (console,) = re.findall(r"```console\n\$ gradlab (.*?)\n(.*?)```", GUIDE, re.DOTALL)
    assert status_of(shlex.split(console[0])) == 1
    said = without_counts(capsys.readouterr().out)
    for line in without_counts(console[1]).splitlines():
        assert re.search(f"^{re.escape(line).replace(re.escape('...'), '.*')}$", said, re.MULTILINE), said


def test_it_names_the_limits_that_hold() -> None:
    own = Limits()
    assert f"did not return within {own.call_seconds:g} s`; `--call-seconds" in GUIDE
    assert f"took more than {spelled_bytes(own.memory)} of memory`; `--memory" in GUIDE
    assert f"wrote more than {spelled_bytes(MAX_OUTPUT)} to stdout and stderr" in GUIDE
    assert f"After {harm.MAX_ENDS} harmful calls, or {harm.MAX_SILENT} that did not return" in GUIDE
    assert harm.MAX_OF_ONE_KIND == 3  # "three"
    assert harm.MAX_AT_FIRST == 5


def test_its_options_are_those_of_the_command() -> None:
    known = {option for parameter in check.params for option in parameter.opts}
    assert set(re.findall(r"`?(--[a-z][a-z-]*)", GUIDE)) - {"--shipped"} <= known
