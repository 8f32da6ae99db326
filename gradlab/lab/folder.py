"""The lab written to a folder: whole or not at all, and never over anything else."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from gradlab.lab.pages import START, site
from gradlab.storage.files import OutputError, folder_fault, shorten, writing

MARK = '<meta name="generator" content="gradlab lab">'  # the first page of a lab has it


def write(folder: Path | str) -> Path:
    """Writes the lab to a folder, and returns the path of its first page.

    The folder may be missing, be empty, or hold an earlier lab, which is replaced. Whoever looks sees no lab, the old
    one or the new one, never a part. Raises OutputError where the folder holds anything else or cannot be written.
    """
    place = Path(folder)
    fault = folder_fault(place) or _foreign(place)
    if fault:
        raise OutputError(fault)
    place = place.resolve()
    with writing():
        place.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
        try:
            for name, text in site().items():
                (new / name).write_text(text, encoding="utf-8")
            new.chmod(0o777 & ~_umask())
            _replace(place, new)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    return place / START.file


def _foreign(folder: Path) -> str | None:
    """Why a folder that exists may not be replaced, or None."""
    if not folder.is_dir():
        return None
    found = {path.name for path in folder.iterdir()}
    if not found:
        return None
    first = folder / START.file
    if not first.is_file() or MARK not in first.read_text(encoding="utf-8", errors="replace"):
        return f"{shorten(folder)} must be empty or hold a lab, it holds {_some(found)}"
    others = {name for name in found if Path(name).suffix not in (".html", ".css", ".js")}
    return f"{shorten(folder)} holds more than a lab: {_some(others)}" if others else None


def _some(names: set[str]) -> str:
    first = sorted(names)[:3]
    return ", ".join(first) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _replace(place: Path, new: Path) -> None:
    """Puts new in the place of what is there; the old folder is out of the way for two renames at most."""
    if not place.exists():
        new.rename(place)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        place.rename(old / "old")
        try:
            new.rename(place)
        except OSError:
            (old / "old").rename(place)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
