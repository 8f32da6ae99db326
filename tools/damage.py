"""Damages reports, cases and certificates at random, and says what gradlab makes of each.

    python -m tools.damage REPORT CASE CERTIFICATE TRAINING --count 1500

Each file is damaged by turns: a value of its JSON is replaced or left out, or some of its bytes are. A report is
compared with the one it was, a case run again, a certificate and a training verified, all in this process. What is not
taken for good has to be refused in one line, exit status 2; 3 is an error of gradlab's own. The exit status is 1 where
that did not hold.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

ODD: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 2, 2**31, 2**63, 10**400, 1e308, 0.5),
    *("", "nan", "inf", "0x1p+99999", "\u0000", "\ud800", "::error::a\n\x1b[31m", "x" * 5000, "wrong", "../../a"),
    *([], {}, [[]], [0], [[0]], [None], {"": 0}),
)
DEEP = "[" * 20000  # more than is read without an end


@dataclass(frozen=True)
class Result:
    """One damage and what came of it: the exit status, the lines on standard error, and the seconds that it took."""

    damage: str
    status: int
    errors: str
    seconds: float

    @property
    def is_fair(self) -> bool:
        """Whether it was taken for good, or refused in one line without an escape."""
        one_line = self.errors.count("\n") == 1 and len(self.errors) < 2000
        return self.status in (0, 1) or (self.status == 2 and one_line and "\x1b" not in self.errors)


def damaged(text: str, rng: np.random.Generator) -> tuple[str, bytes]:
    """What was done to a document, and the document with it done."""
    if rng.random() < 0.7:
        return _changed(json.loads(text), rng)
    data = bytearray(text.encode())
    place = int(rng.integers(len(data)))
    kinds = {
        "cut off": lambda: data[:place],
        "a byte changed": lambda: data[:place] + bytes([int(rng.integers(256))]) + data[place + 1 :],
        "a piece left out": lambda: data[:place] + data[place + int(rng.integers(1, 40)) :],
        "a piece twice": lambda: data[:place] + data[max(0, place - 30) :],
        "brackets": lambda: data[:place] + DEEP.encode() + data[place:],
        "nothing left": lambda: bytearray(),
    }
    words = str(rng.choice(list(kinds)))
    return f"{words} at {place}", bytes(kinds[words]())


def _changed(document: Any, rng: np.random.Generator) -> tuple[str, bytes]:
    """A document with one or two values replaced, or left out."""
    words = []
    for _ in range(int(rng.integers(1, 3))):
        every = list(_places(document))
        if not every:
            break
        *path, last = every[int(rng.integers(len(every)))]
        inner = document
        for key in path:
            inner = inner[key]
        if rng.random() < 0.3:
            del inner[last]
            words.append(f"{[*path, last]} left out")
        else:
            inner[last] = ODD[int(rng.integers(len(ODD)))]
            words.append(f"{[*path, last]} = {str(inner[last])[:30]!r}")
    return "; ".join(words), json.dumps(document).encode("utf-8", "surrogatepass")


def _places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to all values of a document but itself; of a list only to the first three and the last."""
    items: list[tuple[Any, Any]] = []
    if isinstance(document, dict):
        items = list(document.items())
    elif isinstance(document, list):
        some = sorted({0, 1, 2, len(document) - 1} & set(range(len(document))))
        items = [(place, document[place]) for place in some]
    for key, value in items:
        yield (*path, key)
        yield from _places(value, (*path, key))


def command_on(file: Path, original: Path) -> list[str]:
    """The command that reads a file like the original one."""
    document = json.loads(original.read_text())
    schema = str(document.get("schema", ""))
    if schema.startswith("gradlab-report"):
        return ["compare", str(original), str(file)]
    if schema.startswith("gradlab-training"):
        return ["certify", "--verify", str(file)]
    if schema.startswith("gradlab-exhaustive"):
        return ["exhaustive", "--verify", str(file)]
    return ["replay", str(file)]


def result_of(arguments: list[str], words: str) -> Result:
    """What a command comes to, in this process."""
    from gradlab.cli import status_of

    out, errors, began = io.StringIO(), io.StringIO(), time.monotonic()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        status = status_of(arguments)
    return Result(words, int(status), errors.getvalue(), time.monotonic() - began)


def results(originals: list[Path], count: int, seed: int, folder: Path) -> Iterator[tuple[Path, Result]]:
    """The results of so many damages, to the files by turns."""
    rng = np.random.default_rng(seed)
    texts = {path: path.read_text() for path in originals}
    for place in range(count):
        path = originals[place % len(originals)]
        words, data = damaged(texts[path], rng)
        file = folder / f"damaged-{path.name}"
        file.write_bytes(data)
        yield path, result_of(command_on(file, path), words)


def main() -> int:
    """Damages the files as asked, and reports."""
    parser = argparse.ArgumentParser(description="Damages files that gradlab reads.")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where the damaged files are left; nowhere unless given")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        return _report(options, options.folder or Path(folder))


def _report(options: argparse.Namespace, folder: Path) -> int:
    """Prints what is not fair, and how often each status came; 1 where something is not."""
    counts, unfair, slowest = Counter[tuple[str, int]](), 0, 0.0
    for path, result in results(options.files, options.count, options.seed, folder):
        counts[path.name, result.status] += 1
        slowest = max(slowest, result.seconds)
        if not result.is_fair or result.seconds > 60:
            unfair += 1
            print(
                f"{path.name}: {result.damage}: status {result.status}, {result.seconds:.0f} s: {result.errors[-600:]}"
            )
    for (name, status), number in sorted(counts.items()):
        print(f"{name}: status {status}: {number}")
    print(f"{options.count} damages, {unfair} of them not as they should be; the slowest took {slowest:.1f} s")
    return int(unfair > 0)


if __name__ == "__main__":
    raise SystemExit(main())
