"""A comparison of two reports as Markdown, for the summary of a job on GitHub, which drops one above 1 MiB."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from gradlab.compare.change import Change, Effect, Plain, count_line

MAX_BYTES = (
    200_000  # of 1 MiB for a step, https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
)
MAX_LETTERS = 500  # of one cell or line


def summary(old: Plain, new: Plain, found: Sequence[Change]) -> str:
    """What has changed, the worse first, then the verdicts; what is beyond MAX_BYTES is left out, and that is said."""
    lines = [f"### gradlab: {count_line(found)}", ""]
    for effect in Effect:
        opening = f"**{effect}**" if effect is Effect.WORSE else effect
        own = (change for change in found if change.effect is effect)
        lines += [f"- {opening}: {_escape(one.implementation)} \u00b7 {_escape(one.text)}" for one in own]
    return cap([*lines, "", *_verdicts(old, new)])


def cap(lines: Iterable[str]) -> str:
    """As many of the lines as fit into MAX_BYTES, and how many do not."""
    kept: list[str] = []
    left_out = size = 0
    for line in lines:
        size += len(line.encode()) + 1
        if size > MAX_BYTES:
            left_out += 1
        else:
            kept.append(line)
    if left_out:
        kept += ["", f"{left_out} more lines are left out: a summary must be at most {MAX_BYTES:,} bytes here."]
    return "\n".join(kept) + "\n"


def _verdicts(old: Plain, new: Plain) -> Iterator[str]:
    before = {one["name"]: one["verdict"] for one in old["implementations"]}
    yield "| implementation | before | now | level asked for | met |"
    yield "|---|---|---|---|---|"
    for one in new["implementations"]:
        cells = (one["name"], before.get(one["name"], "-"), one["verdict"], one["level"], "yes" if one["met"] else "no")
        yield f"| {' | '.join(map(_escape, cells))} |"


def _escape(text: str) -> str:
    """On one line, and as it is: nothing in it is Markdown or HTML."""
    line = " ".join(text.split())
    short = line if len(line) <= MAX_LETTERS else f"{line[:MAX_LETTERS]}..."
    return re.sub(r"([\\`*_{}\[\]<>#|~&@])", r"\\\1", short)
