"""Asks the proof's inequalities on rows that are drawn and changed, for the largest part of each that is used.

    python -m tools.lemmas [--dtype float64] [--minutes 1] [--seed 0] [--kernel] [--write]

Half of the time is for `accurate`, half for the compiled kernel. --write keeps what is larger than what was known in
proofs/largest.json. Exit status 1 where an inequality fails.
"""

from __future__ import annotations

import argparse
import sys

from tools.lemmas import store
from tools.lemmas.search import Largest, Search
from tools.lemmas.table import BY_NAME

CHUNK = 60.0  # seconds for each in turn


def main(arguments: list[str]) -> int:
    """Searches, prints, and keeps what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dtype", action="append", choices=store.DTYPES)
    parser.add_argument("--minutes", type=float, default=1.0, help="for each dtype")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help=f"keep what is larger than known in {store.FILE.name}")
    chosen = parser.parse_args(arguments)
    found = {dtype: search(dtype, 60 * chosen.minutes, chosen.seed) for dtype in chosen.dtype or store.DTYPES}
    if chosen.write:
        store.write(found)
    return int(any(one.used > 1 for largest in found.values() for one in largest.values()))


def search(dtype: str, seconds: float, seed: int) -> dict[str, Largest]:
    """The largest part of each inequality that was used; half of the time for each of the two implementations."""
    searches = [Search(store.examiner(dtype, of_kernel), dtype, seed) for of_kernel in (False, True)]
    for name, one in store.read()[dtype].items():
        searches[name.startswith("kernel_")].look(one.row)
    left = seconds / 2
    while left > 0:
        for one_search in searches:
            one_search.go_on(min(left, CHUNK))
        left -= CHUNK
    found = searches[0].largest() | searches[1].largest()
    rows, uneven = (sum(getattr(one, name) for one in searches) for name in ("n_rows", "n_uneven"))
    print(f"{dtype}: {rows} rows, seed {seed}; in {uneven} equal logits had unlike answers")
    for name, largest in found.items():
        print(f"  {largest.used:.4f}  {name}: {BY_NAME[name].statement}  {largest.row.plain()}"[:400], flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
