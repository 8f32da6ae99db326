"""docs/validate-your-own.md is true: its files are written, its commands are run, and they say what it shows."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gradlab.targets.prefixes import PREFIXES
from tests.runs import only_first

DOCS = Path(__file__).parents[1] / "docs"
GUIDE = (DOCS / "validate-your-own.md").read_text()
FILES = re.findall(r"```python\n# (\S+)\n(.*?)```", GUIDE, re.DOTALL)
CONSOLES = {
    re.findall(r"gradlab check (\S+)", console)[0]: console
    for console in re.findall(r"```console\n(.*?)```", GUIDE, re.DOTALL)
}
FRAMEWORKS = {"torch:": "torch", "jax:": "jax", "array-api:": "array_api_compat"}
PROGRAMS = {"cc ": "cc", "c++ ": "c++", "rustc ": "rustc", ".pl": "perl"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the guide's files and examples in it, and this Python's gradlab on the path."""
    for name, source in FILES:
        (tmp_path / name).write_text(source)
    for example in filter(Path.is_file, (DOCS / "examples").iterdir()):
        shutil.copy(example, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    return tmp_path


def test_there_is_a_console_for_every_kind_of_target() -> None:
    targets = re.findall(r"gradlab check (\S+)", "\n".join(CONSOLES.values()))
    frameworks = {"sklearn", "scipy", "autograd", "tensorflow", "mlx"}  # whose own losses are in a table
    elsewhere = {"torch-compile", "triton", "ranks"}  # in docs/kernels.md
    files = {"layer", "plain.py", "second_order.py", "weighted.py"}
    shown = {target.partition(":")[0] for target in targets}
    missing = PREFIXES.keys() - frameworks - elsewhere - shown
    assert not missing, f"docs/validate-your-own.md needs an example with {', '.join(sorted(missing))}"
    assert shown == {*files, *PREFIXES.keys() - frameworks - elsewhere}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("target", only_first(CONSOLES, *list(CONSOLES)[:1]))
def test_its_commands_say_what_it_shows(target: str) -> None:
    console = CONSOLES[target]
    skip_where_something_is_missing(console)
    said = ""
    for command in re.findall(r"^\$ (.*)", console, re.MULTILINE):
        ran = subprocess.run(command, shell=True, capture_output=True, text=True)
        assert ran.returncode in (0, 1), ran.stderr
        said += ran.stdout
    for line in [line for line in console.splitlines() if not line.startswith("$ ")]:
        shown = re.escape(line).replace(re.escape("..."), ".*")
        assert re.search(f"^{shown}$", said, re.MULTILINE), said


def skip_where_something_is_missing(console: str) -> None:
    for sign, package in FRAMEWORKS.items():
        if f" {sign}" in console and importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    for sign, program in PROGRAMS.items():
        if sign in console and shutil.which(program) is None:
            pytest.skip(f"there is no {program}")
