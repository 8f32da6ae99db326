"""docs/kernels.md is true: its commands are run on the examples, and say what it shows."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_docs import assert_shown

DOCS = Path(__file__).parents[1] / "docs"
CONSOLES = re.findall(r"```console\n\$ gradlab (.*?)\n(.*?)```", (DOCS / "kernels.md").read_text(), re.DOTALL)
NEEDS = {"triton:": "triton", "ranks:": "torch"}


@pytest.mark.more
@pytest.mark.parametrize(("command", "shown"), CONSOLES, ids=[command.split()[1] for command, _ in CONSOLES])
def test_its_commands_say_what_it_shows(command: str, shown: str, tmp_path: Path) -> None:
    for prefix, package in NEEDS.items():
        if f" {prefix}" in command:
            pytest.importorskip(package)
    for example in (DOCS / "examples").glob("*.py"):
        shutil.copy(example, tmp_path)
    ran = subprocess.run(
        [sys.executable, "-m", "gradlab", *command.split()], capture_output=True, text=True, cwd=tmp_path
    )
    assert ran.returncode == 1, ran.stderr
    assert_shown(shown, ran.stdout)
