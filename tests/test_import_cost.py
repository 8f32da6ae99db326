"""What `import gradlab` loads, in a Python of its own; benchmarks/import_cost.py measures the time."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import pytest

HEAVY = ("sympy", "mpmath", "hypothesis", "flint", "ml_dtypes", "click", "rich", "torch", "jax")
# The plugin is loaded by every pytest on the machine, whether or not gradlab is used in it.
# The command line starts a worker before it needs any of this itself.
NOT_LOADED = {
    "gradlab": ("numpy", "pytest", *HEAVY),
    "gradlab.integrations.pytest_plugin": ("numpy", *HEAVY),
    "gradlab.cli": tuple(name for name in ("numpy", "pytest", *HEAVY) if name != "click"),
    "gradlab.isolation.supervisor": ("numpy", "pytest", *HEAVY),
}


@cache
def loaded_by(module: str) -> frozenset[str]:
    """The names of all modules that are loaded after `module` was imported."""
    command = [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"]
    return frozenset(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


@pytest.mark.parametrize(
    ("module", "package"), [(module, package) for module, packages in NOT_LOADED.items() for package in packages]
)
def test_importing_a_module_does_not_load(module: str, package: str) -> None:
    assert module in loaded_by(module)
    assert package not in loaded_by(module)
