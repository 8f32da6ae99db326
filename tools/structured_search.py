"""Searches for the rows of few levels on which an implementation is least accurate, up to 2^20 classes.

So many classes at each of a few logits, N rows alike, as a mean: `gradlab.measure.level_climbing`. Prints the largest
error of each part with its levels in hexadecimal; --write keeps those of up to 2^17 classes in the corpus, which the
tests replay.

    python -m tools.structured_search accurate [--dtype float32] [--minutes 1] [--seed 0] [--write]
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from gradlab.measure.level_climbing import MAX_CLASSES, Found, LevelClimb
from gradlab.storage.files import write_whole
from gradlab.targets.load import load
from tools.worst_cases import CORPUS, MANY, merge

KEPT_SIZES = (range(2, MANY), range(MANY, 2**17 + 1))  # classes of an entry of the corpus


def search(climb: LevelClimb, seconds: float) -> None:
    """Goes on with the climb for so much time."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        climb.step()


def encode(name: str, part: str, found: Found) -> dict[str, Any]:
    """An entry of the corpus."""
    levels = found.levels
    ulp = round(found.ulp, 3) if found.ulp < float("inf") else "inf"
    return {"implementation": name, "dtype": levels.dtype, "part": part, "ulp": ulp, **levels.encoded()}


def describe(name: str, part: str, found: Found) -> str:
    """One line: what was found and where."""
    levels = found.levels
    shown = ", ".join(f"{n} x {x.hex()}" for n, x in zip(levels.counts, levels.logits, strict=True))
    at = f"K = {levels.n_classes}, N = {levels.n_rows}, label at level {levels.label} of [{shown}]"
    return f"{name} {levels.dtype} {part}: {found.ulp:.3f} ULP at {at}"


def main() -> None:
    """Prints what is found, and writes it where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--dtype", action="append", choices=["float16", "bfloat16", "float32", "float64"])
    parser.add_argument("--minutes", type=float, default=1.0, help="for each implementation and dtype")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--classes", type=int, default=MAX_CLASSES, help="at most so many")
    parser.add_argument("--write", action="store_true", help=f"keep what is worse than known in {CORPUS.name}")
    chosen = parser.parse_args()
    entries = []
    for name in chosen.names:
        (implementation,) = load(name, {})
        for dtype in chosen.dtype or implementation.claims.dtypes:
            climb = LevelClimb(implementation, dtype, chosen.seed, chosen.classes)
            search(climb, 60 * chosen.minutes)
            for part, found in climb.worst().items():
                print(describe(name, part, found), flush=True)
            print(f"{name} {dtype}: {climb.n_tried} rows tried, seed {chosen.seed}", flush=True)
            for sizes in KEPT_SIZES:
                entries += [encode(name, part, found) for part, found in climb.worst(sizes).items()]
    if chosen.write:
        known = json.loads(CORPUS.read_text()) if CORPUS.exists() else []
        write_whole(CORPUS, json.dumps(merge(entries, known), indent=1) + "\n")


if __name__ == "__main__":
    main()
