"""What this machine's processor is, and what NumPy makes of it."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np

CPUINFO = Path("/proc/cpuinfo")


def processor(*fields: str) -> str:
    """A field of the first processor in /proc/cpuinfo, or what else is known of it."""
    try:
        text = CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name.strip() in fields:
            return value.strip()
    return platform.processor() if "model name" in fields else ""


def numpy_simd() -> list[str]:
    """The instruction sets that NumPy was built for or has found."""
    config: Any = np.show_config(mode="dicts")
    extensions = (config or {}).get("SIMD Extensions", {})
    return [name for kind in ("baseline", "found") for name in extensions.get(kind, [])]
