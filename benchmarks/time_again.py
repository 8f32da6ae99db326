"""How often `gradlab compare` calls the same code slower or faster: python benchmarks/time_again.py [RUNS] [NAME ...].

Each run is a process of its own, of `gradlab check --time`; every two of their reports are compared.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from itertools import combinations
from pathlib import Path

from gradlab.compare.comparison import read_report
from gradlab.compare.cost_changes import cost_changes

RUNS, NAMES = 6, ("shifted", "textbook")


def main(runs: int, names: tuple[str, ...]) -> None:
    """Prints what was claimed of time and memory, which should be nothing."""
    reports = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(runs):
            path = Path(folder, f"{number}.json")
            command = ["check", *names, "--profile", "quick", "--time", "--json", str(path), "--cases", folder]
            subprocess.run([sys.executable, "-m", "gradlab", *command], capture_output=True, check=False)
            reports.append(read_report(path))
    claims = [change for old, new in combinations(reports, 2) for change in cost_changes(old, new)]
    compared = len(reports[0]["timing"]["measurements"]) * len(list(combinations(reports, 2)))
    for change in claims:
        print(f"  {change}")
    print(f"{len(claims)} of {compared} comparisons of the same code claim a change; {runs} runs of {', '.join(names)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS, tuple(sys.argv[2:]) or NAMES)
