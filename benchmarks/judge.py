"""How long a judgement takes: of hopeless code, of sound code, and what a server adds for each.

    python benchmarks/judge.py [--rounds 5]

Prints the median wall time of `gradlab judge` on a loss whose gradient lacks the 1/N, and on one that is sound; the
same of a server that is asked; and for the server what a judgement of code that does not import takes, which is a
process and nothing else.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from gradlab.judgement.server import ask

ROOT = Path(__file__).parents[1]
TARGETS = {
    "hopeless": f"{ROOT}/implementations/specimens/scaling.py:gradient_not_divided",
    "sound": "shifted",
    "not loading": "nothing_of_this_name:loss",
}


def seconds(action: Callable[[], object]) -> float:
    """The wall time of an action."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = range(parser.parse_args().rounds)
    command = [sys.executable, "-m", "gradlab", "judge"]
    for name in ("hopeless", "sound"):
        own = partial(subprocess.run, [*command, TARGETS[name]], capture_output=True)
        print(f"gradlab judge, {name}: {median(seconds(own) for _ in rounds):.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "judge.sock"
        server = subprocess.Popen([*command, "--serve", str(path)], stdout=subprocess.PIPE)
        try:
            assert server.stdout is not None
            server.stdout.readline()
            for name, target in TARGETS.items():
                times = [seconds(partial(ask, path, {"target": target, "seed": 0})) for _ in rounds]
                print(f"a server, {name}: {times[0]:.2f} s at first, {median(times):.2f} s")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
