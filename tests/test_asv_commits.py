"""A project with gradlab's three lines in its benchmarks/: asv sees which commit made it slower, and less accurate."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

import pytest

GOOD = """
import numpy as np

def loss(logits, labels):
    rows = np.arange(len(labels))
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    own = e[rows, labels]
    e[rows, labels] = 0
    others = e.sum(axis=1)
    gradient = e / (own + others)[:, None]
    gradient[rows, labels] = -others / (own + others)
    return np.mean(np.log1p(others / own)), gradient / logits.dtype.type(len(labels))
"""
WORSE = """
import numpy as np

def loss(logits, labels):
    rows = np.arange(len(labels))
    for _ in range(8):
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p / logits.dtype.type(len(labels))
"""
BENCHMARKS = """
from gradlab.asv import suites
from theirs import loss
Speed, Memory, Accuracy = suites(loss, shapes=[(1024, 1000)], dtypes=["float32"])
"""
PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "theirs"
version = "1"
[tool.setuptools]
py-modules = ["theirs"]
"""
LINK = """
import sysconfig, pathlib, sys
link = pathlib.Path(sysconfig.get_path("purelib"), "outer.pth")
link.write_text(f"import site; site.addsitedir({sys.argv[1]!r})")
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("asv", path=str(Path(sys.executable).parent)) is None, reason="asv is not installed"
    ),
]


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """What a command said, both streams in one; it is asv of this Python's environment, or git."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment: Mapping[str, str] = {**os.environ, "HOME": str(folder.parent), "PATH": path, "COLUMNS": "200"}
    return subprocess.run(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900
    )


def committed(folder: Path, text: str) -> None:
    """One more commit, with this text as the project's module."""
    (folder / "theirs.py").write_text(text)
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    assert run(folder, "git", "add", ".").returncode == 0
    assert run(folder, "git", *identity, "commit", "-q", "-m", "change").returncode == 0


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of two commits: a good one, and one that is slower and loses the target's digits."""
    folder = tmp_path / "theirs"
    (folder / "benchmarks").mkdir(parents=True)
    (folder / "benchmarks/__init__.py").touch()
    (folder / "benchmarks/losses.py").write_text(BENCHMARKS)
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "link.py").write_text(LINK)
    outer = sysconfig.get_path("purelib")
    settings = {
        "version": 1,
        "project": "theirs",
        "repo": ".",
        "branches": ["main"],
        "environment_type": "virtualenv",
        "build_command": ["python -m pip wheel --no-deps --no-build-isolation -w {build_cache_dir} {build_dir}"],
        "install_command": [
            "in-dir={env_dir} python -m pip install --no-deps {wheel_file}",
            f"python {folder / 'link.py'} {outer}",
        ],
        "matrix": {"req": {"setuptools": [""]}},
    }
    (folder / "asv.conf.json").write_text(json.dumps(settings))
    assert run(folder, "git", "init", "-q", "-b", "main").returncode == 0
    committed(folder, GOOD)
    committed(folder, WORSE)
    return folder


def test_asv_continuous_reports_the_commit_that_is_slower_and_less_accurate(repository: Path) -> None:
    assert run(repository, "asv", "machine", "--yes").returncode == 0
    compared = run(repository, "asv", "continuous", "--bench", "Speed|Accuracy.*_error", "HEAD~1", "HEAD")
    assert compared.returncode == 1, compared.stdout
    assert "PERFORMANCE DECREASED" in compared.stdout
    changed = [line for line in compared.stdout.splitlines() if line.startswith("|") and "losses." in line]
    worse = [line for line in changed if line.split("|")[1].strip() == "+"]
    assert any("time_loss_and_gradient" in line for line in worse), compared.stdout
    assert any("track_target_error" in line for line in worse), compared.stdout
