"""Times what ships with gradlab beside torch, JAX and the limit of the machine: loss and gradient, in one process.

All sides run in turn, round by round, on the same logits, so that what else the machine does hits all of them; the
times are medians over the rounds, and the multiples medians of each round's own: a processor that changes its pace
between rounds leaves them as they are. One thread means one core for everybody: each number of threads has a process of
its own, bound to so many cores. The limit is the larger of copying the logits once, and of N K exponentials at the
rate that the compiled polynomial reaches in the first-level cache. torch is F.cross_entropy with backward, JAX the
jitted value_and_grad. A side that is not installed is left out.

    pip install torch jax "gradlab-verify[fast]"
    python benchmarks/frameworks.py [--shapes 1024x1000] [--dtype float32] [--threads 1 2]
        [--seconds 2] [--write [FILE]]
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from gradlab.problems.problem import Array
from gradlab.targets.load import load

SHAPES = ("1x10", "64x10", "4096x10", "128x1000", "1024x1000", "4096x1000", "256x32000")
OURS = ("shifted", "complement", "accurate", "blocked", "fused", "fused_accurate")
WITH_THREADS = ("fused", "fused_accurate")
PACKAGES = ("numpy", "numba", "torch", "jax")
COMMAND = "python benchmarks/frameworks.py"
L1_ENTRIES = {"float32": 4096, "float64": 2048}  # 16 KiB: in the first-level cache

Call = Callable[[], Any]


def sides(logits: Array, labels: Array, threads: int) -> dict[str, Call]:
    """What is timed, by name: each call computes the mean loss and its gradient."""
    found: dict[str, Call] = {}
    for name, of in (("torch", torch_side), ("JAX jit", jax_side)):
        try:
            found[name] = of(logits, labels, threads)
        except ImportError as missing:
            print(f"{missing.name} is not installed", file=sys.stderr)
    for name in OURS:
        try:
            function = load(name, {})[0].function
        except ValueError as missing:
            print(missing, file=sys.stderr)
            continue
        options: dict[str, Any] = {"threads": threads} if name in WITH_THREADS else {}
        found[name] = partial(function, logits, labels, **options)
        if name in WITH_THREADS:
            found[f"{name}, out=..."] = partial(function, logits, labels, **options, out=np.empty_like(logits))
    return found


def torch_side(logits: Array, labels: Array, threads: int) -> Call:
    import torch

    torch.set_num_threads(threads)
    x, y = torch.from_numpy(logits.copy()).requires_grad_(), torch.from_numpy(labels)

    def call() -> Any:
        x.grad = None
        loss = torch.nn.functional.cross_entropy(x, y)
        loss.backward()
        return loss.detach(), x.grad

    return call


def jax_side(logits: Array, labels: Array, threads: int) -> Call:
    import jax

    jax.config.update("jax_enable_x64", True)
    x, y = jax.numpy.asarray(logits), jax.numpy.asarray(labels)

    def loss(x: Any) -> Any:
        return -jax.numpy.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=1).mean()

    both = jax.jit(jax.value_and_grad(loss))
    return lambda: jax.block_until_ready(both(x))


def rounds(calls: dict[str, Call], seconds: float) -> dict[str, Array]:
    """The time of each call in each of the rounds, in which all run in turn, several times where they are short."""
    repeats = {name: _repeats(call) for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    start = time.perf_counter()
    while time.perf_counter() - start < seconds * len(calls) or len(times[next(iter(times))]) < 7:
        for name, call in calls.items():
            call()  # what the side before left in the caches, and in the allocator, is not this one's
            before = time.perf_counter()
            for _ in range(repeats[name]):
                call()
            times[name].append((time.perf_counter() - before) / repeats[name])
    return {name: np.array(some) for name, some in times.items()}


def _repeats(call: Call) -> int:
    call()
    before = time.perf_counter()
    call()
    return max(1, int(1e-3 / max(time.perf_counter() - before, 1e-7)))


def limit_calls(logits: Array) -> dict[str, Call]:
    """Copying the logits, and exponentials in the first-level cache; the second needs numba."""
    copy, size = np.empty_like(logits), L1_ENTRIES[logits.dtype.name]
    calls: dict[str, Call] = {"copy": lambda: np.copyto(copy, logits)}
    try:
        from gradlab.implementations import _fast_rows
    except ImportError:
        return calls
    some = np.linspace(-20, 0, size).astype(logits.dtype)
    terms, zero = np.empty_like(some), some.dtype.type(0)
    calls["exponentials"] = lambda: _fast_rows.repeated_exponentials(some, zero, terms, 200)
    return calls


def row(shape: str, dtype: str, threads: int, seconds: float) -> dict[str, Array]:
    """The times of each round at a shape, in seconds, first the limit; seconds: for each side."""
    n_rows, n_classes = map(int, shape.split("x"))
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (n_rows, n_classes)).astype(dtype)
    labels = rng.integers(0, n_classes, n_rows)
    found = rounds({**sides(logits, labels, threads), **limit_calls(logits)}, seconds)
    exponentials = found.pop("exponentials", np.zeros(1)) / 200 / L1_ENTRIES[dtype] * logits.size
    return {"limit": np.maximum(found.pop("copy"), exponentials), **found}


def as_markdown(dtype: str, threads: int, rows: dict[str, dict[str, Array]]) -> Iterator[str]:
    """A table: microseconds, and in brackets the multiple of torch's time and of the limit."""
    yield f"## {dtype}, {threads} thread{'s' if threads > 1 else ''}"
    yield ""
    yield "| | " + " | ".join(shape.replace("x", " x ") for shape in rows) + " |"
    yield "|---" * (len(rows) + 1) + "|"
    for name in next(iter(rows.values())):
        yield f"| {name} | " + " | ".join(_cell(name, found) for found in rows.values()) + " |"
    yield ""


def _cell(name: str, found: dict[str, Array]) -> str:
    microseconds = float(np.median(found[name])) * 1e6
    time = f"{microseconds:,.0f} µs" if microseconds >= 100 else f"{microseconds:.3g} µs"
    over = [f"{np.median(found[name] / found[other]):.2f}" for other in ("torch", "limit") if other in found]
    return time if name == "limit" else f"{time} ({', '.join(over)})"


def installed_packages() -> list[str]:
    """The packages that matter, with their versions."""
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return found


def tables(given: argparse.Namespace) -> str:
    """The tables for one number of threads, measured in this process, which is bound to as many cores."""
    (threads,) = given.threads
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    lines: list[str] = []
    for dtype in given.dtype:
        rows = {}
        for shape in given.shapes:
            rows[shape] = row(shape, dtype, threads, given.seconds)
            print(f"{dtype} {shape} {threads}", file=sys.stderr, flush=True)
        lines += as_markdown(dtype, threads, rows)
    return "\n".join(lines)


def heading(given: argparse.Namespace) -> str:
    threads = " ".join(map(str, given.threads))
    return (
        "# Time, beside torch and JAX\n\n"
        f"Written by `{COMMAND} --threads {threads} --seconds {given.seconds:g} --write`; not to be edited. "
        f"Measured with {', '.join(installed_packages())}, Python "
        f"{platform.python_version()}, {platform.machine()}. Loss and gradient of the mean over labels. All sides "
        "run in turn, for many rounds; a time is the median of the rounds. In brackets, two ratios, each the median of "
        "the ratios of the rounds: to torch's time (F.cross_entropy with backward), and to the limit. The limit is the "
        "time to copy the logits, or the time to compute the exponentials in the first-level cache on one core, "
        "whichever is longer.\n"
    )


def main() -> None:
    """Prints the tables, and writes them where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES))
    parser.add_argument("--dtype", nargs="+", default=["float32", "float64"], choices=["float32", "float64"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--seconds", type=float, default=2.0, help="for each side at each shape")
    parser.add_argument("--write", type=Path, nargs="?", const=Path("docs/speed.md"))
    given = parser.parse_args()
    if len(given.threads) == 1 and not given.write:
        print(tables(given))
        return
    parts = [_in_a_process(given, threads) for threads in given.threads]
    text = "\n".join([heading(given), *parts])
    print(text)
    if given.write:
        given.write.write_text(text + "\n", encoding="utf-8")


def _in_a_process(given: argparse.Namespace, threads: int) -> str:
    arguments: Sequence[str] = ["--shapes", *given.shapes, "--dtype", *given.dtype, "--threads", str(threads)]
    command = [sys.executable, __file__, *arguments, "--seconds", str(given.seconds)]
    flags = f"--xla_cpu_multi_thread_eigen={'false' if threads == 1 else 'true'}"
    environment = {**os.environ, "XLA_FLAGS": flags, "OMP_NUM_THREADS": str(threads)}
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment).stdout


if __name__ == "__main__":
    main()
