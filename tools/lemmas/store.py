"""The most that was ever used of each inequality, and by which row, in `proofs/largest.json`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from gradlab.storage.files import write_whole
from tools.lemmas import kernel, plain, single
from tools.lemmas.row import Row, row_from
from tools.lemmas.search import Largest

FILE = Path(__file__).parents[2] / "proofs" / "largest.json"
DTYPES = ("float32", "float64")

Table = dict[str, dict[str, Largest]]  # by dtype, then by the inequality's name


Examine = Callable[[Row], Mapping[str, float]]


def examiner(dtype: str, of_kernel: bool) -> Examine:
    """What asks the inequalities of `accurate`, or of the compiled kernel, of rows of the dtype."""
    if of_kernel:
        return kernel.examine
    return single.examine if dtype == "float32" else plain.examine


def examine(row: Row, name: str) -> float:
    """How much of one inequality a row uses. Raises KeyError where it says nothing of the row."""
    return examiner(row.dtype, name.startswith("kernel_"))(row)[name]


def read() -> Table:
    """What is stored; nothing where there is no file."""
    plain_table = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return {
        dtype: {name: Largest(one["used"], row_from(one)) for name, one in plain_table.get(dtype, {}).items()}
        for dtype in DTYPES
    }


def write(found: Table) -> None:
    """Stores what a search found that began with the rows that were stored before, for each of its dtypes."""
    encoded = {
        dtype: {name: {"used": one.used, **one.row.plain()} for name, one in sorted(largest.items())}
        for dtype, largest in (read() | found).items()
    }
    write_whole(FILE, json.dumps(encoded, indent=1) + "\n")
