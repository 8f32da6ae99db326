"""Compiled modules for the processes that tests start, where Python is told to write none (PYTHONDONTWRITEBYTECODE).

Each of them would compile gradlab and NumPy again: 2 to 5 s of processor time, of which a small run takes 2.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# All that such a process may import, but SymPy, which few do, and the command line, which ends the process.
_IMPORTING = """
import importlib, pkgutil, gradlab
for module in pkgutil.walk_packages(gradlab.__path__, "gradlab."):
    if not module.name.startswith("gradlab.symbolic") and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


def keep_compiled(folder: Path) -> None:
    """Has this process, and those that it starts, find gradlab and what it imports compiled, in the folder.

    They write nothing there: a test may write a module twice within a second, and must not get the first again.
    """
    told = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    importing = [sys.executable, "-c", _IMPORTING]
    subprocess.run(importing, env={**told, "PYTHONPYCACHEPREFIX": str(folder)}, check=True)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(folder)


@contextmanager
def compiled_once() -> Iterator[None]:
    """What is imported inside is compiled into the folder of `keep_compiled`, where there is one; not afterwards."""
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = before and sys.pycache_prefix is None
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
