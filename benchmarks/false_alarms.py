"""Counts false alarms: runs of a profile on sound implementations, each with a seed of its own.

The runs are spread evenly over all that ships as sound, the strangers too, and the dtypes they claim. Any verdict below
the level that it claims is a false alarm; the exit status is 1 if there is one. A seed goes with the same
implementation in every command, so that a long series can be run in parts.

    python benchmarks/false_alarms.py [--runs 200] [--profile quick] [--first-seed 1] [--scope layer]
"""

from __future__ import annotations

import argparse
import sys
import time

from gradlab.evaluation.call import Implementation
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import PROFILES, profile_named
from gradlab.harness.run import run_checks
from gradlab.implementations.strangers.layer import numpy_layers
from gradlab.targets.layers import load_layer
from gradlab.targets.load import load
from gradlab.targets.shipped import layers, sound


def main() -> int:
    """Prints every false alarm as it comes, then the count; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--profile", choices=sorted(PROFILES), default="quick")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--scope", choices=SOUND, default="logits")
    chosen = parser.parse_args()
    start, alarms = time.perf_counter(), 0
    sides = [(one, dtype) for one in SOUND[chosen.scope]() for dtype in one.claims.dtypes]
    for seed in range(chosen.first_seed, chosen.first_seed + chosen.runs):
        implementation, dtype = sides[(seed - 1) % len(sides)]
        report = run_checks(
            implementation,
            Plan(profile_named(chosen.profile), seed, implementation.claims.level, (dtype,), power=False),
        )
        if not report.met:
            alarms += 1
            print(report, flush=True)
    seconds = time.perf_counter() - start
    print(f"{alarms} false alarms in {chosen.runs} runs of profile {chosen.profile}, {seconds:.0f} s")
    return 1 if alarms else 0


def sound_implementations() -> list[Implementation]:
    """All that ships as sound: the implementations that state no verdict below `stable`, and the sound strangers."""
    return [one for name in sound() for one in load(name, {})]


def sound_layers() -> list[Implementation]:
    """All layers that ship, and the sound strangers among them."""
    strangers = [f"{numpy_layers.__name__}:{name}" for name in numpy_layers.__all__]
    return [load_layer(f"layer:{name}", {}) for name in (*layers(), *strangers)]


SOUND = {"logits": sound_implementations, "layer": sound_layers}


if __name__ == "__main__":
    sys.exit(main())
