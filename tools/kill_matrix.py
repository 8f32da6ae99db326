"""Computes which check rejects which known defect, and writes docs/kill-matrix.md and docs/kill-matrix.svg.

Every specimen, teaching code and sound implementation meets every check on the standard families, in each dtype that it
claims; nothing is drawn, so that the same versions give the same table. The picture needs matplotlib, the table does
not. Exits with 1 where a specimen escapes its own check, or a sound implementation is rejected.

    python tools/kill_matrix.py [--families quick] [--to docs] [--jobs 2]
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gradlab.checks.table import CHECKS
from gradlab.harness.selection import problems_for
from gradlab.harness.tally import Line, Tally, examine
from gradlab.harness.verdict import Verdict, is_advice
from gradlab.targets.load import load
from gradlab.targets.shipped import shipped_targets, sound, specimens

SEED = 0
COMMAND = "python tools/kill_matrix.py"


@dataclass(frozen=True)
class Row:
    """One implementation: the share of problems on which each check rejects it, and the claims' own reading of that.

    rejected: by check, the largest share over its dtypes; checks that were never asked are missing. level: the best
    verdict that is left.
    """

    name: str
    kind: str
    own: str
    rejected: dict[str, float]
    level: Verdict


def row_of(families: str, name: str, kind: str, own: str) -> Row:
    """The row of something that ships, from all checks on all problems of the families."""
    (implementation,) = load(name, {})
    claims = implementation.claims
    tally = Tally(implementation)
    for dtype in claims.dtypes:
        for problem in problems_for(claims, dtype, families, SEED):
            examine(tally, problem)
    rejected: dict[str, float] = {}
    for line in tally.lines.values():
        if not is_advice(line.check, claims):
            rejected[line.check.name] = max(rejected.get(line.check.name, 0.0), _share(line))
    return Row(name, kind, own, rejected, tally.verdict())


def all_that_ships() -> Iterator[tuple[str, str, str]]:
    """(name, kind, own check): the specimens in the order of their modules, then the teaching codes, then the sound."""
    for name, specimen in specimens().items():
        yield name, "specimen", specimen.killed_by
    for one in shipped_targets().values():
        if one.is_teaching_code:
            yield one.name, "teaching code", one.because[0]
    for name in sound():
        yield name, "sound", ""


def rows(families: str, jobs: int) -> Iterator[Row]:
    """The row of each, in that order, so many worked out at a time."""
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(partial(row_of, families), *zip(*all_that_ships(), strict=True))


def faults(found: Sequence[Row]) -> list[str]:
    """What must not be: a specimen that its own check lets pass, a sound implementation below stable."""
    escaped = [row.name for row in found if row.own and not row.rejected.get(row.own)]
    alarms = [row.name for row in found if row.kind == "sound" and row.level < Verdict.STABLE]
    return [f"{name} escapes its own check" for name in escaped] + [f"{name} is rejected" for name in alarms]


def as_markdown(found: Sequence[Row], families: str) -> str:
    """The table: for each row the verdict left, its own check, how often it rejects, and which others do."""
    bad = [row for row in found if row.kind != "sound"]
    used = {check.name: sum(bool(row.rejected.get(check.name)) for row in bad) for check in CHECKS}
    alone = {
        check.name: sum([name for name, share in row.rejected.items() if share] == [check.name] for row in bad)
        for check in CHECKS
    }
    lines = [
        "# Which check rejects which known defect",
        "",
        f"Written by `{COMMAND} --families {families}`; not to be edited. Seed {SEED}, without drawn problems. "
        f"{len(specimens())} specimens, {len(bad) - len(specimens())} teaching codes, {len(found) - len(bad)} sound "
        "implementations, which no check of level `stable` rejects. `gradlab explain NAME` says more about each.",
        "",
        "![kill matrix](kill-matrix.svg)",
        "",
        "| specimen | verdict | its own check | rejects | others that reject it |",
        "|---|---|---|---|---|",
    ]
    for row in bad:
        others = sorted(name for name, share in row.rejected.items() if share and name != row.own)
        lines.append(f"| `{row.name}` | {row.level} | {row.own} | {row.rejected[row.own]:.0%} | {len(others)} |")
    lines += [
        "",
        "| check | specimens and teaching codes that it rejects | that no other check rejects |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {count} | {alone[name]} |" for name, count in used.items()]
    return "\n".join(lines) + "\n"


def draw(found: Sequence[Row], path: Path) -> None:
    """The matrix as a picture: a row for each implementation, a column for each check, dark where it rejects."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "gradlab"
    import matplotlib.pyplot as plt
    import numpy as np

    names = [check.name for check in CHECKS if any(check.name in row.rejected for row in found)]
    shares = np.array([[row.rejected.get(name, np.nan) for name in names] for row in found])
    figure, axes = plt.subplots(figsize=(15, 0.17 * len(found) + 3.2), layout="constrained")
    shown = np.where(np.isnan(shares), np.nan, np.where(shares > 0, 0.25 + 0.75 * shares, 0.0))
    of_accuracy = np.array([check.failing_means == "inaccurate" for check in CHECKS if check.name in names])
    for palette, left_out in (("Reds", of_accuracy), ("Blues", ~of_accuracy)):
        colours = matplotlib.colormaps[palette].with_extremes(bad="none")
        some = np.ma.masked_array(shown, np.broadcast_to(left_out, shown.shape))
        axes.imshow(some, aspect="auto", cmap=colours, vmin=0, vmax=1, interpolation="nearest")
    axes.set_facecolor("#dddddd")
    own = [(number, names.index(row.own)) for number, row in enumerate(found) if row.own in names]
    axes.plot([column for _, column in own], [line for line, _ in own], "k.", markersize=3, label="its own check")
    kinds = [row.kind for row in found]
    for number in range(1, len(found)):
        if kinds[number] != kinds[number - 1]:
            axes.axhline(number - 0.5, color="black", linewidth=1)
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axes.set_yticks(range(len(found)), [row.name for row in found], fontsize=6)
    axes.xaxis.tick_top()
    axes.set_title(
        "how often a check rejects an implementation (blue: at level accurate only; grey: not asked; dot: its own)"
    )
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main() -> int:
    """Computes the matrix, writes both files, and tells what must not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", choices=("quick", "standard"), default="standard")
    parser.add_argument("--to", type=Path, default=Path("docs"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes, as many as cores")
    chosen = parser.parse_args()
    found = []
    for row in rows(chosen.families, chosen.jobs):
        found.append(row)
        print(
            f"{row.kind:14} {row.name:34} {row.level!s:9} {sum(map(bool, row.rejected.values())):3} checks", flush=True
        )
    (chosen.to / "kill-matrix.md").write_text(as_markdown(found, chosen.families), encoding="utf-8")
    try:
        draw(found, chosen.to / "kill-matrix.svg")
    except ImportError:
        print("no picture: matplotlib is not installed (pip install matplotlib)")
    for fault in faults(found):
        print(f"FAULT {fault}")
    return 1 if faults(found) else 0


def _share(line: Line) -> float:
    return line.n_failed / line.n_problems


if __name__ == "__main__":
    sys.exit(main())
