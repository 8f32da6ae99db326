"""What keeps a command from writing its files, found out before anything long is begun."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def output_faults(paths: Iterable[Path]) -> list[str]:
    """Why files cannot be written, one line each."""
    from gradlab.storage.files import output_fault

    return [fault for fault in map(output_fault, paths) if fault]


def picture_faults(picture: Path | None) -> list[str]:
    """Why a picture cannot be drawn, where one is asked for."""
    from gradlab.targets.importing import lacking

    missing = picture is not None and lacking({"matplotlib": "plot"})
    return ["--picture needs matplotlib, which the extra brings: gradlab-verify[plot]"] if missing else []
