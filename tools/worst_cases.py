"""Searches for the logits on which an implementation is least accurate, by hill climbing on its error in ULP.

One row at a time, as mean over one row. A tenth of the time Hypothesis draws rows and follows their errors, by its
target(); then `gradlab.campaigns.atlas.climbing` goes on from there. Prints the largest error of each part with its
logits in hexadecimal; --write keeps them as a corpus, which the tests replay.

    python tools/worst_cases.py accurate [--dtype float32] [--minutes 1] [--seed 0] [--write]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gradlab.campaigns.atlas.climbing import CLASSES, Climb, Row, errors_of_row
from gradlab.evaluation.call import Implementation
from gradlab.problems.dtypes import format_of
from gradlab.problems.families.placing import underflows
from gradlab.storage.files import write_whole
from gradlab.targets.load import load

CORPUS = Path(__file__).parents[1] / "tests/implementations/hardest.json"
EXAMPLES = 300  # of one run of Hypothesis
MANY = 2**15  # classes
MAX_BITS = 64.0  # of an error that Hypothesis follows: it takes no infinity


def search(implementation: Implementation, dtype: str, seconds: float, seed: int) -> dict[str, Row]:
    """The row with the largest error of each part that was found in this time."""
    start, climb = time.monotonic(), Climb(implementation, dtype, seed)
    for row, part in search_by_hypothesis(implementation, dtype, seconds / 10, seed):
        climb.keep(row, part)
    while time.monotonic() - start < seconds:
        climb.generation()
    return climb.worst()


def search_by_hypothesis(
    implementation: Implementation, dtype: str, seconds: float, seed: int
) -> Iterator[tuple[Row, str]]:
    """The worst rows of each part, and which part, that runs of Hypothesis come to."""
    start, widest = time.monotonic(), float(round(2 * underflows(format_of(dtype))))
    elements = st.floats(-widest, widest, width=32 if dtype == "float32" else 64)
    rows = st.sampled_from(CLASSES).flatmap(
        lambda n: st.tuples(arrays(dtype, n, elements=elements), st.integers(0, n - 1))
    )
    worst: dict[str, Row] = {}

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.target],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(rows)
    def follow(row: Any) -> None:
        logits, label = row
        for part, ulp in errors_of_row(implementation, logits, label).items():
            hypothesis.target(min(float(np.log2(1 + ulp)), MAX_BITS), label=part)
            if part not in worst or ulp > worst[part].ulp:
                worst[part] = Row(logits, label, ulp)

    while time.monotonic() - start < seconds:
        hypothesis.seed(seed)(follow)()
        yield from ((row, part) for part, row in worst.items())
        worst.clear()
        seed += 1


def encode(name: str, dtype: str, part: str, row: Row) -> dict[str, Any]:
    """An entry of the corpus."""
    return {
        "implementation": name,
        "dtype": dtype,
        "part": part,
        "ulp": round(row.ulp, 3) if row.ulp < np.inf else "inf",
        "logits": [float(value).hex() for value in row.logits],
        "label": row.label,
    }


def merge(entries: list[dict[str, Any]], known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The worse of the new entry and the known one, for each implementation, dtype and part.

    Rows of levels, which `structured_search` finds, count apart, and those of MANY classes once more.
    """
    worst: dict[tuple[str, str, str, int], dict[str, Any]] = {}
    for entry in known + entries:
        key = (entry["implementation"], entry["dtype"], entry["part"], kind_of(entry))
        if key not in worst or float(entry["ulp"]) > float(worst[key]["ulp"]):
            worst[key] = entry
    return [worst[key] for key in sorted(worst)]


def kind_of(entry: dict[str, Any]) -> int:
    """0 for a row written logit by logit, 1 for rows of levels, 2 for those of MANY classes."""
    if "levels" not in entry:
        return 0
    return 1 if sum(count for count, _ in entry["levels"]) < MANY else 2


def main() -> None:
    """Prints what is found, and writes it where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+")
    parser.add_argument("--dtype", action="append", choices=["float32", "float64"])
    parser.add_argument("--minutes", type=float, default=1.0, help="for each implementation and dtype")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help=f"keep what is worse than known in {CORPUS.name}")
    chosen = parser.parse_args()
    entries = []
    for name in chosen.names:
        (implementation,) = load(name, {})
        for dtype in chosen.dtype or ["float32", "float64"]:
            for part, row in search(implementation, dtype, 60 * chosen.minutes, chosen.seed).items():
                entries.append(encode(name, dtype, part, row))
                shown = ", ".join(entries[-1]["logits"][:6]) + (", ..." if len(row.logits) > 6 else "")
                print(f"{name} {dtype} {part}: {row.ulp:.3f} ULP at [{shown}], label {row.label}", flush=True)
    if chosen.write:
        known = json.loads(CORPUS.read_text()) if CORPUS.exists() else []
        write_whole(CORPUS, json.dumps(merge(entries, known), indent=1) + "\n")


if __name__ == "__main__":
    main()
