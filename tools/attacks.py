"""The table of docs/adversarial.md: each attack, what it tries, the verdict that it deserves, and the one that it gets.

python -m tools.attacks            prints it, some minutes
python -m tools.attacks --write    and writes it into the page
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from gradlab.campaigns.attacks.attack import attacks
from gradlab.campaigns.attacks.trial import try_attack

PAGE = Path(__file__).parents[1] / "docs" / "adversarial.md"
HEAD = "| kind | attack | what it tries | deserves | judged |"
Row = list[str]


def rows(judged: Mapping[str, str]) -> list[Row]:
    """A row for each attack; judged: the verdicts by name."""
    return [[one.kind, one.name, one.about, one.deserves, judged.get(one.name, "")] for one in attacks().values()]


def table_in(page: str) -> list[Row]:
    """The rows of the page's table."""
    _, _, below = page.partition(HEAD)
    lines = below.strip().splitlines()[1:]
    shown = lines[: next((place for place, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in shown]


def written(page: str, filled: list[Row]) -> str:
    """The page with these rows in the place of those that it has."""
    above, _, below = page.partition(HEAD)
    rest = below.lstrip("\n").splitlines()
    after = [line for line in rest if not line.startswith("|")]
    lines = [
        f"| {kind} | `{name}` | {about} | {deserved} | {judged} |" for kind, name, about, deserved, judged in filled
    ]
    return "\n".join([above + HEAD, "|---|---|---|---|---|", *lines, *after]) + "\n"


def main() -> None:
    """Tries every attack, prints the rows, and writes them where that is asked for."""
    judged = {}
    for one in attacks().values():
        trial = try_attack(one)
        judged[one.name] = trial.verdict or "no report"
        print(f"{one.name:32} {judged[one.name]:12} {trial.status} {' '.join(trial.left)}", flush=True)
    if "--write" in sys.argv[1:]:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), rows(judged)), encoding="utf-8")


if __name__ == "__main__":
    main()
