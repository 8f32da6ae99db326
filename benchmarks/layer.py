"""Times the layers that ship beside torch's, in one process and one thread, with memory and errors of all outputs.

All sides run in turn, round by round, on the same problem; the multiples are medians of each round's own, over torch's
chunked linear_cross_entropy with backward. Times are those of the processor, since nothing here waits. Memory is
what NumPy holds beyond the outputs, as tracemalloc counts it; torch's is not counted. An error is the largest of an
output, over the largest entry of that, against the same in longdouble, of the first rows of a confident head: a problem
with a median margin of 10.

    pip install torch "gradlab-verify[fast]"
    python benchmarks/layer.py [--shape 1024x256x8192] [--dtype float32] [--rounds 9]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from gradlab.problems.problem import Array
from gradlab.targets.importing import TargetError
from gradlab.targets.layers import load_layer
from gradlab.targets.shipped import layers

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
YARDSTICK = "layer:torch:linear_cross_entropy_auto"
TORCH = (
    YARDSTICK,
    "layer:torch:linear_cross_entropy_accurate",
    "layer:torch:linear_cross_entropy_compact",
    "layer:torch:linear_cross_entropy",
    "layer:torch:cross_entropy",
)
SLOW = ("layer_loop",)  # minutes
OUTPUTS = ("loss", "dX", "dW", "db")
MARGIN, ROWS, CLASSES = 10.0, 64, 512  # of the problem on which errors are measured

Call = Callable[[], Any]
Arguments = tuple[Array, ...]


def sides(arguments: Arguments) -> dict[str, Call]:
    """What is timed, by name: each call gives the loss and its gradients. The weight of torch's has its own layout."""
    found: dict[str, Call] = {}
    X, W, b, labels = arguments
    for target in (*TORCH, *(f"layer:{name}" for name in layers() if name not in SLOW)):
        try:
            function = load_layer(target, {}).function
        except TargetError as missing:
            print(missing, file=sys.stderr)
            continue
        weight = np.ascontiguousarray(W.T) if target in TORCH else W
        found[target.removeprefix("layer:")] = partial(function, X, weight, b, labels)
    return found


def problem(n_rows: int, n_features: int, n_classes: int, dtype: str) -> Arguments:
    """Features, weight, bias and labels, the logits of size 1."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n_rows, n_features)).astype(dtype)
    W = (rng.normal(size=(n_features, n_classes)) / n_features**0.5).astype(dtype)
    return X, W, rng.normal(size=n_classes).astype(dtype), rng.integers(0, n_classes, n_rows)


def confident(n_features: int, dtype: str) -> Arguments:
    """A problem whose labels are the largest logits, by a median margin of MARGIN."""
    X, W, b, _ = problem(ROWS, n_features, CLASSES, "float64")
    ordered = np.sort(X @ W + b, axis=1)
    scale = MARGIN / np.median(ordered[:, -1] - ordered[:, -2])
    W, b = (scale * W).astype(dtype), (scale * b).astype(dtype)
    X = X.astype(dtype)
    return X, W, b, (X.astype(float) @ W.astype(float) + b).argmax(1)


def exact(arguments: Arguments) -> Arguments:
    """The loss and its gradients in longdouble, the label's entry as minus the sum of the others."""
    X, W, b, labels = (*(one.astype(np.longdouble) for one in arguments[:3]), arguments[3])
    z, rows = X @ W + b, np.arange(len(labels))
    e = np.exp(z - z.max(1, keepdims=True))
    own = e[rows, labels]
    e[rows, labels] = 0
    others, total = e.sum(1), e.sum(1) + own
    g = e / total[:, None]
    g[rows, labels] = -others / total
    g /= len(labels)
    return np.log1p(others / own).mean(), g @ W.T, X.T @ g, g.sum(0)


def outputs(answer: Any) -> list[Array]:
    """Loss, dX, dW and db of what a side returns; torch's has its dW as (K, D)."""
    if isinstance(answer, Mapping):
        loss, d_features, d_weight, d_bias = answer.values()
        return [loss, d_features, d_weight.T, d_bias]
    return list(answer)


def errors(call: Call, expected: Arguments) -> str:
    """The largest error of each output over its largest entry."""
    pairs = zip(outputs(call()), expected, strict=True)
    return " ".join(f"{float(np.abs(one - right).max() / np.abs(right).max()):8.1e}" for one, right in pairs)


def seconds(call: Call) -> float:
    before = time.process_time()
    call()
    return time.process_time() - before


def memory(call: Call) -> float:
    """MiB that NumPy holds beyond the outputs."""
    tracemalloc.start()
    try:
        answer = call()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return float(peak - sum(one.nbytes for one in answer)) / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shape", default="1024x256x8192", help="rows, features and classes")
    parser.add_argument("--dtype", default="float32", choices=("float32", "float64"))
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    if not ONE_THREAD.items() <= os.environ.items():  # what multiplies matrices looks at them when it is loaded
        sys.exit(subprocess.run([sys.executable, *sys.argv], env={**os.environ, **ONE_THREAD}, check=False).returncode)
    n_rows, n_features, n_classes = map(int, given.shape.split("x"))
    timed = sides(problem(n_rows, n_features, n_classes, given.dtype))
    hard = confident(n_features, given.dtype)
    expected, judged = exact(hard), sides(hard)
    for call in timed.values():
        call()  # which compiles, and touches memory for the first time
    rounds = [{name: seconds(call) for name, call in timed.items()} for _ in range(given.rounds)]
    print(f"{n_rows} x {n_features} x {n_classes}, {given.dtype}, {given.rounds} rounds, NumPy {np.__version__}")
    print(f"{'':34} {'ms':>7} {'multiple':>8} {'MiB':>6}   {'  '.join(f'{name:>7}' for name in OUTPUTS)}")
    yardstick = YARDSTICK.removeprefix("layer:")
    for name, call in timed.items():
        times = [one[name] for one in rounds]
        multiple = f"{median(one[name] / one[yardstick] for one in rounds):8.2f}" if yardstick in timed else f"{'':8}"
        beyond = f"{memory(call):6.1f}" if not name.startswith("torch") else f"{'':6}"
        print(f"{name:34} {1000 * median(times):7.0f} {multiple} {beyond}   {errors(judged[name], expected)}")


if __name__ == "__main__":
    main()
