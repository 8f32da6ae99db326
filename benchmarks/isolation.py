"""What a process of its own costs: the time of `gradlab check` over that of `gradlab check --in-process`, in turn.

    python benchmarks/isolation.py [--rounds 5] [TARGET ...]

Prints, for each target and profile, the median time of both and the ratio of the medians; processor time too, since the
process that watches has a processor of its own where there are two.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from statistics import median

RUNS = (("quick", ()), ("standard", ("--dtype", "float32")))


def measure(arguments: list[str]) -> tuple[float, float]:
    """The wall and processor seconds of one command. Raises CalledProcessError where it fails."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "gradlab", *arguments], cwd=folder, check=True, capture_output=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", default=["shifted"])
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    for target in given.targets:
        for profile, more in RUNS:
            command = ["check", target, "--profile", profile, *more]
            rounds = [(measure(command), measure([*command, "--in-process"])) for _ in range(given.rounds)]
            for name, at in (("wall", 0), ("processor", 1)):
                apart, here = (median(one[way][at] for one in rounds) for way in (0, 1))
                print(f"{target} {profile}: {name} {apart:.2f} s apart, {here:.2f} s here, ratio {apart / here:.3f}")


if __name__ == "__main__":
    main()
