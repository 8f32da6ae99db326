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

SOUND = """import numpy as np


def loss(logits, labels):
    rows = np.arange(len(labels))
    d = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(d)
    s = e.sum(axis=1)
    p = e / s[:, None]
    p[rows, labels] -= 1
    return np.mean(np.log(s) - d[rows, labels]), p / p.dtype.type(len(labels))
"""
SOURCES = {
    "hopeless": SOUND.replace("p / p.dtype.type(len(labels))", "p"),
    "sound": SOUND,
    "not loading": "import nothing_of_this_name\n",
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
    with tempfile.TemporaryDirectory() as folder:
        targets = {name: f"{folder}/{name.replace(' ', '_')}.py:loss" for name in SOURCES}
        for name, source in SOURCES.items():
            Path(targets[name].partition(":")[0]).write_text(source)
        command = [sys.executable, "-m", "gradlab", "judge"]
        for name in ("hopeless", "sound"):
            own = partial(subprocess.run, [*command, targets[name]], capture_output=True)
            times = [seconds(own) for _ in rounds]
            print(f"gradlab judge, {name}: {median(times):.2f} s")
        path = Path(folder) / "judge.sock"
        server = subprocess.Popen([*command, "--serve", str(path)], stdout=subprocess.PIPE)
        try:
            assert server.stdout is not None
            server.stdout.readline()
            for name, target in targets.items():
                times = [seconds(partial(ask, path, {"target": target, "seed": 0})) for _ in rounds]
                print(f"a server, {name}: {times[0]:.2f} s at first, {median(times):.2f} s")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
