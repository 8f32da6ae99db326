"""Draws the committed example reports again, each from the data in it: `python -m tools.example_reports`.

After a change of the templates, the sheet or the script of a page. What a run finds out is not worked out again.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from gradlab.pages.page import report_page
from gradlab.storage.files import write_whole

REPORTS = Path(__file__).parents[1] / "docs" / "examples" / "reports"
_DATA = re.compile(r'<script type="application/json" id="report">(.*?)</script>', re.DOTALL)


def data_of(page: str) -> Any:
    """The reports that a page has in it as JSON. Raises ValueError where there are none, or are not strict."""
    found = _DATA.search(page)
    if found is None:
        raise ValueError("the page has no data in it: they were too large")
    return json.loads(found.group(1), parse_constant=_refuse)


def main() -> None:
    """Writes each page again."""
    for path in sorted(REPORTS.glob("*.html")):
        write_whole(path, report_page(data_of(path.read_text(encoding="utf-8"))))


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not strict JSON")


if __name__ == "__main__":
    main()
