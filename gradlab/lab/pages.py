"""The pages of the lab, and how a page is put together from its text and the layout that all of them share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template

_ASSETS = ("style.css", "arithmetic.js", "page.js")
_HERE = ' aria-current="page"'


@dataclass(frozen=True)
class Page:
    """A page: its name, which is that of its text in `site/pages/`, its title, and its scripts in the order they load.

    Every page loads `arithmetic.js` and `page.js` before its own scripts. summary: its sentence on the first page.
    """

    name: str
    title: str
    summary: str
    scripts: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        return f"{self.name}.html"


START = Page("index", "The lab", "")
CHAPTERS = (
    Page(
        "float",
        "A float is an exact number",
        "Bits, ordinals, spacing and rounding: what a computer can hold, and what it does with the rest.",
        ("decimals.js", "float.js"),
    ),
    Page(
        "forms",
        "One row, four forms",
        "The same loss written in four ways. Drag the logits and see, in bits, where each digit is lost.",
        ("forms.js", "forms-page.js"),
    ),
    Page(
        "maps",
        "Where forms break",
        "Maps of overflow and underflow: every offset and every margin, form by form and dtype by dtype.",
        ("forms.js", "maps.js", "maps-page.js"),
    ),
    Page(
        "differences",
        "Finite differences",
        "Test a gradient by its loss: the V of truncation and roundoff, its proved bound, and the complex step.",
        ("forms.js", "differences.js", "plot.js", "differences-page.js"),
    ),
    Page(
        "online",
        "Online softmax",
        "One pass over the logits, step by step: how a sum is mended when a larger logit comes.",
        ("forms.js", "online.js", "online-page.js"),
    ),
    Page(
        "derivation",
        "The derivation",
        "From the definition of the loss to its gradient and its forms: every step with its rule and its proof.",
    ),
    Page(
        "descent",
        "Gradient descent",
        "Four codes as they are taught: run them, mend them line by line, and see what an inaccurate gradient does.",
        ("forms.js", "teaching.js", "collapse.js", "plot.js", "descent-page.js"),
    ),
    Page(
        "bug",
        "Find the bug",
        "A function with one mistake, and what it answers. What is the mistake?",
        ("bugs.js", "bug-page.js"),
    ),
)


def site() -> dict[str, str]:
    """Every file of the lab, by name, as text."""
    scripts = {script for page in CHAPTERS for script in page.scripts}
    assets = {name: _read(name) for name in (*_ASSETS, *sorted(scripts))}
    return {page.file: compose(page) for page in (START, *CHAPTERS)} | assets


def compose(page: Page) -> str:
    """The HTML of a page: its text in the layout."""
    body = _read(f"pages/{page.file}")
    scripts = ("arithmetic.js", "page.js", *page.scripts) if page.scripts else ()
    return Template(_read("layout.html")).substitute(
        title=escape(page.title),
        chapters="\n".join(_chapter_links(page)),
        body=Template(body).substitute(contents="\n".join(_contents())) if page is START else body,
        neighbours="\n".join(_neighbour_links(page)),
        scripts="\n".join(f'<script src="{name}"></script>' for name in scripts),
    )


def _read(name: str) -> str:
    return (files(__package__) / "site" / name).read_text(encoding="utf-8")


def _chapter_links(current: Page) -> Iterator[str]:
    for page in CHAPTERS:
        here = _HERE if page is current else ""
        yield f'<li><a href="{page.file}"{here}>{escape(page.title)}</a></li>'


def _contents() -> Iterator[str]:
    for page in CHAPTERS:
        yield f'<li><a href="{page.file}">{escape(page.title)}</a><p>{escape(page.summary)}</p></li>'


def _neighbour_links(current: Page) -> Iterator[str]:
    order = (START, *CHAPTERS)
    place = order.index(current)
    if place > 0:
        yield f'<a rel="prev" href="{order[place - 1].file}">← {escape(order[place - 1].title)}</a>'
    if place + 1 < len(order):
        yield f'<a rel="next" href="{order[place + 1].file}">{escape(order[place + 1].title)} →</a>'
