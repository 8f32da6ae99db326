"""A page put together: templates filled in, its sheet and its script inside, and a policy that lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from gradlab.pages.content import subjects_of
from gradlab.pages.matrix import VERDICTS
from gradlab.pages.speed import size_figures, speed_figures
from gradlab.pages.words import WORDS

Plain = Mapping[str, Any]
LARGEST = 1 << 20  # bytes of a page


def report_page(reports: Sequence[Plain]) -> str:
    """The page on all implementations of some reports, at most LARGEST bytes of HTML.

    What does not fit is left out in this order: the data of the reports, tables behind charts; the page says so.
    """
    for data, tables in ((True, True), (False, True), (False, False)):
        text = _render(reports, data=data, tables=tables)
        if len(text.encode(errors="backslashreplace")) <= LARGEST:
            break
    return text.encode("utf-8", "backslashreplace").decode()  # a lone surrogate has no place in UTF-8


def _render(reports: Sequence[Plain], *, data: bool, tables: bool) -> str:
    subjects = subjects_of(reports)
    return render(
        "report.html",
        title=subjects[0].name if len(subjects) == 1 else f"{len(subjects)} implementations",
        subjects=subjects,
        reports=reports,
        not_checked=[one for report in reports for one in report["not_checked"]],
        data=json_for_a_page([_shortened(one) for one in reports]) if data and reports else None,
        tables=tables,
        speeds=speed_figures(subjects),
        sizes=[size_figures(one) for one in subjects],
        levels=VERDICTS,
        meanings=WORDS,
    )


def _shortened(report: Plain) -> Plain:
    """A report without the worst problem of each check, which the page does not show: it shows the simplest one."""
    entries = [
        {**entry, "results": [_without_worst(one) for one in entry["results"]]} for entry in report["implementations"]
    ]
    return {**report, "implementations": entries}


def _without_worst(result: Plain) -> Plain:
    return {name: value for name, value in result.items() if name not in ("problem", "asked")}


def render(template: str, **values: Any) -> str:
    """A template of `templates/` filled in, with the sheet and the script, and the policy that lets in these alone."""
    sheet, script = asset("style.css"), asset("page.js")
    own = f"style-src '{_hash(sheet)}'; script-src '{_hash(script)}'"
    policy = f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"
    return (
        _environment()
        .get_template(template)
        .render(**values, sheet=Markup(sheet), script=Markup(script), policy=policy)
    )


def json_for_a_page(document: Any) -> Markup:
    """A document as strict JSON that no HTML parser takes for an end of its element. Raises ValueError for NaN."""
    text = json.dumps(document, allow_nan=False, separators=(",", ":"), ensure_ascii=True)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def asset(name: str) -> str:
    """The text of a file of `templates/`."""
    return (files("gradlab.pages") / "templates" / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(asset), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
