"""What every test leaves as it found it: the paths that modules are looked for on."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

# tools/ is not installed. It stays importable, and the path on which it is found does not stay: tests of the plugin
# run pytest again, and it would warn of a gradlab that was imported too early.
sys.path.insert(0, str(Path(__file__).parents[1]))
import tools  # noqa: F401 - found only from here on
from tests.browser import browser  # noqa: F401 - a fixture for every test
from tests.bytecode import compiled_once, keep_compiled

sys.path.pop(0)


def pytest_configure(config: pytest.Config) -> None:
    """Results that gradlab keeps between runs are kept for this run of the tests alone, by all its processes."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        if sys.dont_write_bytecode:
            keep_compiled(config.rootpath / ".pytest_cache" / "bytecode")
        folder = tempfile.TemporaryDirectory(prefix="gradlab-cache-")
        config.add_cleanup(folder.cleanup)
        os.environ["GRADLAB_CACHE"] = folder.name


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Modules of tests are rewritten and compiled by the first run that imports them; no test runs yet."""
    with compiled_once():
        return (yield)


@pytest.fixture(autouse=True)
def paths_of_modules() -> Iterator[None]:
    """Puts sys.path back: loading a target adds the target's folder to it."""
    before = list(sys.path)
    yield
    sys.path[:] = before


@pytest.fixture(autouse=True)
def errors_are_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Raises an error of gradlab's own in what explains a verdict, which would only be told in a report."""

    def raise_again(explanation: str, error: Exception) -> None:
        raise error

    monkeypatch.setattr("gradlab.harness.missing.missing_for", raise_again)


@pytest.fixture
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs the test in a folder of its own, and forgets the modules that are imported from there."""
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
