"""The most that was ever used of each inequality, and by which row, in `proofs/largest.json`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from gradlab.harness.files import write_whole
from proofs.lemmas import kernel, plain
from proofs.lemmas.row import Row, row_from
from proofs.lemmas.search import Largest

FILE = Path(__file__).parents[1] / "largest.json"
DTYPES = ("float32", "float64")

Table = dict[str, dict[str, Largest]]  # by dtype, then by the inequality's name


def examine(row: Row, name: str) -> float:
    """How much of one inequality a row uses. Raises KeyError where it says nothing of the row."""
    asked: Callable[[Row], Mapping[str, float]] = kernel.examine if name.startswith("kernel_") else plain.examine
    return asked(row)[name]


def read() -> Table:
    """What is stored; nothing where there is no file."""
    plain_table = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return {
        dtype: {name: Largest(one["used"], row_from(one)) for name, one in plain_table.get(dtype, {}).items()}
        for dtype in DTYPES
    }


def write(found: Table) -> None:
    """Keeps what is larger than what is stored."""
    table = read()
    for dtype, largest in found.items():
        for name, one in largest.items():
            if name not in table[dtype] or one.used > table[dtype][name].used:
                table[dtype][name] = one
    encoded = {
        dtype: {name: {"used": one.used, **one.row.plain()} for name, one in sorted(largest.items())}
        for dtype, largest in table.items()
    }
    write_whole(FILE, json.dumps(encoded, indent=1) + "\n")
