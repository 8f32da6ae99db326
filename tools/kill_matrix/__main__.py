"""Computes which check rejects which known defect, and writes docs/kill-matrix.md and docs/kill-matrix.svg.

Every specimen, teaching code and sound implementation is asked what a quick run asks; what passes its own check there,
what a standard run asks. The picture needs matplotlib, the table does not. Exits with 1 where a specimen escapes its
own check, or a sound implementation is rejected.

    python -m tools.kill_matrix [--to docs] [--jobs 2]
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.kill_matrix.page import as_markdown
from tools.kill_matrix.picture import draw
from tools.kill_matrix.rows import Row, entries, faults, rows


def main() -> int:
    """Computes the matrix, writes both files, and says what must not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=Path("docs"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes, as many as cores")
    chosen = parser.parse_args()
    found = list(_printed(chosen.jobs))
    (chosen.to / "kill-matrix.md").write_text(as_markdown(found), encoding="utf-8")
    try:
        draw(found, chosen.to / "kill-matrix.svg")
    except ImportError:
        print("no picture: matplotlib is not installed (pip install matplotlib)")
    for fault in faults(found):
        print(f"FAULT {fault}")
    return 1 if faults(found) else 0


def _printed(jobs: int) -> Iterator[Row]:
    """The rows, each printed once it is there."""
    everything = list(entries())
    for number, row in enumerate(rows(everything, jobs), start=1):
        one = row.entry
        print(
            f"{number:3} of {len(everything)} {one.kind:13} {one.name:34} {row.profile:8} {row.dtype:8} {row.level!s:9}"
            f"{len(row.rejecting):3} checks {row.seconds:6.1f} s",
            flush=True,
        )
        yield row


if __name__ == "__main__":
    sys.exit(main())
