"""Writes sitecustomize and a gradlab of its own beside it and into the current folder, for the next process."""

import contextlib
from pathlib import Path

from _honest import wrong

KIND = "patching"
DESERVES = "wrong"

SOURCE = """
import builtins
builtins.all = lambda values: True
"""


def write(folder):
    for name in ("sitecustomize.py", "usercustomize.py", "gradlab.py", "json.py"):
        with contextlib.suppress(OSError):
            (folder / name).write_text(SOURCE)


write(Path(__file__).parent)


def loss(logits, labels):
    write(Path.cwd())
    return wrong(logits, labels)
