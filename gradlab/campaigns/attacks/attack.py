"""The attacks that there are, read from their files."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
HELPERS = "_*.py"  # what their files share


@dataclass(frozen=True)
class Attack:
    """A file with a function `loss`.

    about: what it tries, in a sentence. kind: of the attack, in a few words. deserves: the verdict that it may get at
    best. options: of `gradlab check`, beside those that all are checked with.
    """

    name: str
    about: str
    kind: str
    deserves: str
    options: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Where its file is."""
        return FOLDER / f"{self.name}.py"


@cache
def attacks() -> dict[str, Attack]:
    """All of them by name, those of one kind together."""
    found = [_read(path) for path in sorted(FOLDER.glob("[!_]*.py"))]
    kinds = list(dict.fromkeys(one.kind for one in found))
    return {one.name: one for one in sorted(found, key=lambda one: kinds.index(one.kind))}


def _read(path: Path) -> Attack:
    """Raises KeyError for a file that says nothing of its kind, or of what it deserves."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {
        name.id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for name in node.targets
        if isinstance(name, ast.Name) and name.id in ("KIND", "DESERVES", "OPTIONS")
    }
    about = " ".join((ast.get_docstring(tree) or "").split())
    return Attack(path.stem, about, said["KIND"], said["DESERVES"], tuple(said.get("OPTIONS", ())))
