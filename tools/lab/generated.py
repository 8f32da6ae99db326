"""The files of the lab's site that are generated, by name, and how each is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tools.lab.bugs import bugs_script
from tools.lab.collapse import collapse_script
from tools.lab.derivation import derivation_page

SITE = Path(__file__).parents[2] / "gradlab" / "lab" / "site"

GENERATED: dict[str, Callable[[], str]] = {
    "bugs.js": bugs_script,
    "collapse.js": collapse_script,
    "pages/derivation.html": derivation_page,
}
