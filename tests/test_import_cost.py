"""What `import gradlab` loads, in a Python of its own; benchmarks/import_cost.py measures the time."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOADED = "import sys, {module}; print(*sys.modules)"


@pytest.fixture(scope="module")
def loaded_by_gradlab() -> set[str]:
    """The names of all modules that are loaded after `import gradlab`."""
    command = [sys.executable, "-c", LOADED.format(module="gradlab")]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


@pytest.mark.parametrize("package", ["sympy", "hypothesis", "flint", "mpmath", "pytest", "torch", "jax"])
def test_import_gradlab_does_not_load(package: str, loaded_by_gradlab: set[str]) -> None:
    assert "gradlab" in loaded_by_gradlab
    assert package not in loaded_by_gradlab
