"""Which files of a folder may offer functions; whatever else is in it does no harm to them."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path


def offers_nothing(folder: Path) -> str:
    """What is wrong with a folder that offers no function."""
    return f"{folder} has nothing to check: none of its *.py files marks a function or has an __all__"


def files_that_may_offer(folder: Path, faults: list[str]) -> Iterator[Path]:
    """The Python files below a folder that may offer functions, in order; folders called *.py are left out.

    faults: where what cannot be read goes, one line each.
    """
    for path in sorted(folder.rglob("*.py")):
        hidden = any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)
        if not hidden and not path.is_dir() and _may_offer(path, faults):
            yield path


def _may_offer(path: Path, faults: list[str]) -> bool:
    """Whether a file mentions what offers functions; what is no regular file, such as a pipe, is not opened."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            faults.append(f"{path} must be a regular file")
            return False
        text = path.read_bytes()
    except OSError as error:
        faults.append(f"{path} cannot be read: {error.strerror}")
        return False
    return b"__all__" in text or b"implementation" in text
