"""What the wheel holds: all of gradlab and implementations/, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
BUILD = "from setuptools.build_meta import build_wheel; print(build_wheel('wheel'))"
DATA_SUFFIXES = (".py", ".typed", ".json", ".h", ".html", ".css", ".js", ".md")

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENTRY_POINTS = [*PROJECT["scripts"].values(), *PROJECT["entry-points"]["pytest11"].values()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the sources, built with what is installed and nothing fetched."""
    copy = tmp_path_factory.mktemp("sources")
    for folder in ("gradlab", "implementations", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, copy)
    built = subprocess.run([sys.executable, "-c", BUILD], cwd=copy, check=True, capture_output=True, text=True)
    return copy / "wheel" / built.stdout.split()[-1]


@pytest.fixture(scope="module")
def contents(wheel: Path) -> set[str]:
    """The names of the files in the wheel, apart from those about it."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def source_files(folder: str) -> set[str]:
    """The files of a top-level folder that belong to the package, relative to the folder."""
    return {str(path.relative_to(ROOT / folder)) for path in (ROOT / folder).rglob("*") if path.suffix in DATA_SUFFIXES}


def output_with_wheel(wheel: Path, program: str) -> str:
    """What a program prints that finds the wheel before anything installed."""
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, cwd=wheel.parent, env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_wheel_holds_gradlab_and_the_implementations_and_nothing_else(contents: set[str]) -> None:
    gradlab = {f"gradlab/{name}" for name in source_files("gradlab")}
    implementations = {f"gradlab/implementations/{name}" for name in source_files("implementations")}
    assert contents == gradlab | implementations


@pytest.mark.parametrize(
    "name", ["gradlab/py.typed", "gradlab/adapters/softmax_ce.h", "gradlab/implementations/specimens/__init__.py"]
)
def test_the_wheel_holds(name: str, contents: set[str]) -> None:
    assert name in contents


@pytest.mark.parametrize("module", ["gradlab", "gradlab.implementations", "gradlab.implementations.specimens"])
def test_modules_are_importable_from_the_wheel(module: str, wheel: Path) -> None:
    assert output_with_wheel(wheel, f"import {module}; print({module}.__file__)").startswith(str(wheel))


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
def test_entry_points_are_in_the_wheel(entry_point: str, wheel: Path) -> None:
    found = output_with_wheel(wheel, f"import pkgutil; print(pkgutil.resolve_name({entry_point!r}))")
    assert entry_point.rpartition(":")[2] in found


def test_the_wheel_has_the_installed_version(wheel: Path) -> None:
    assert output_with_wheel(
        wheel, "from importlib.metadata import version; print(version('gradlab-verify'))"
    ) == version("gradlab-verify")
    assert wheel.name == f"gradlab_verify-{version('gradlab-verify')}-py3-none-any.whl"


def test_the_wheel_carries_the_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/LICENSE"))
        assert archive.read(name) == (ROOT / "LICENSE").read_bytes()
