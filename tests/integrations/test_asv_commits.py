"""A project with gradlab's three lines in its benchmarks/: asv sees which commit made it slower, and less accurate.

And the workflow of docs/continuous-integration.md does too, step by step.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

GUIDE = Path(__file__).parents[2] / "docs/continuous-integration.md"

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
from gradlab.integrations.asv import suites
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
dependencies = ["numpy"]
[tool.setuptools]
py-modules = ["theirs"]
"""
NOT_ISOLATED = {"PIP_NO_BUILD_ISOLATION": "0"}  # pip's "no": a wheel is built with what is there, without a network
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


def run(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What a command said, both streams in one; it is asv of this Python's environment, or git."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment: Mapping[str, str] = {
        **os.environ,
        "HOME": str(folder.parent),
        "PATH": path,
        "COLUMNS": "200",
        **variables,
    }
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
        **configuration(),
        "project": "theirs",
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


def configuration() -> dict[str, Any]:
    """The asv.conf.json of the guide; where there is no network, pip must not isolate what it builds."""
    (text,) = re.findall(r"```json\n(.*?)```\n", GUIDE.read_text(), re.DOTALL)
    found: dict[str, Any] = json.loads(text)
    return found


def test_asv_continuous_reports_the_commit_that_is_slower_and_less_accurate(repository: Path) -> None:
    assert run(repository, "asv", "machine", "--yes").returncode == 0
    compared = run(
        repository, "asv", "continuous", "--bench", "Speed|Accuracy.*_error", "HEAD~1", "HEAD", **NOT_ISOLATED
    )
    assert compared.returncode == 1, compared.stdout
    assert "PERFORMANCE DECREASED" in compared.stdout
    changed = [line for line in compared.stdout.splitlines() if line.startswith("|") and "losses." in line]
    worse = [line for line in changed if line.split("|")[1].strip() == "+"]
    assert any("time_loss_and_gradient" in line for line in worse), compared.stdout
    assert any("track_target_error" in line for line in worse), compared.stdout


def steps() -> dict[str, str]:
    """The shell commands of the workflow, by the name of their step."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")  # it comes with asv
    (text,) = re.findall(r"```yaml\n(.*?)```\n\n", GUIDE.read_text(), re.DOTALL)
    workflow: Any = yaml.safe_load(text)
    return {step["name"]: step["run"] for step in workflow["jobs"]["losses"]["steps"] if "run" in step}


@pytest.fixture
def their_python(repository: Path, tmp_path: Path) -> dict[str, str]:
    """The variables with which `python` and `gradlab` are those of an environment of its own, over this one."""
    folder = tmp_path / "environment"
    assert run(repository, sys.executable, "-m", "venv", "--without-pip", str(folder)).returncode == 0
    python = folder / "bin/python"
    assert run(repository, str(python), "link.py", sysconfig.get_path("purelib")).returncode == 0
    command = folder / "bin/gradlab"
    command.write_text(f'#!/bin/sh\nexec {python} -m gradlab "$@"\n')
    command.chmod(0o755)
    path = os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    return {"PATH": path, "TARGET": "theirs:loss", "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"), **NOT_ISOLATED}


def test_the_guide_names_its_steps_and_its_configuration_is_json() -> None:
    assert list(steps()) == ["Install", "Report on the base", "Report on the pull request", "Compare", "asv"]
    assert configuration()["matrix"] == {"req": {"gradlab-verify": [""]}}


def test_the_workflow_of_the_guide_finds_the_worse_commit(repository: Path, their_python: dict[str, str]) -> None:
    ended = {}
    for name, commands in steps().items():
        if name != "Install":
            ran = run(repository, "bash", "-e", "-o", "pipefail", "-c", commands, **their_python)
            ended[name] = ran.returncode
            assert ran.returncode in (0, 1), ran.stdout
    summary = Path(their_python["GITHUB_STEP_SUMMARY"]).read_text()
    assert ended == {"Report on the base": 0, "Report on the pull request": 0, "Compare": 1, "asv": 1}, summary
    assert "**worse**: loss \u00b7 target\\_entry\\_within\\_a\\_few\\_ulp" in summary
    assert "**worse**: loss \u00b7 time float32 (1024, 1000): " in summary
    assert "### asv: slower, larger or less accurate" in summary


def test_the_workflow_tells_a_broken_commit_from_a_slower_one(repository: Path, their_python: dict[str, str]) -> None:
    (repository / "pyproject.toml").write_text("this is no project")
    committed(repository, GOOD)
    ran = run(repository, "bash", "-e", "-o", "pipefail", "-c", steps()["asv"], **their_python)
    assert ran.returncode != 0, ran.stdout
    assert "### asv: it could not build" in Path(their_python["GITHUB_STEP_SUMMARY"]).read_text()
