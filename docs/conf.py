"""How Sphinx builds the pages. Its sources begin at the root of the repository, so that links work on a forge too."""

from __future__ import annotations

import re
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

project = "gradlab"
author = "The gradlab developers"
version = release = installed_version("gradlab-verify")
extensions = ["myst_parser", "sphinx.ext.autodoc"]
include_patterns = ["docs/*.md", "proofs/README.md", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
exclude_patterns = ["docs/_build"]
root_doc = "docs/index"
default_role = "code"  # what stands between backquotes in a docstring

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4  # a heading's anchor is what a forge makes of it
suppress_warnings = ["misc.highlighting_failure"]  # text that looks like a language is shown as text

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"

html_theme = "furo"
html_title = f"gradlab {version}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_show_sphinx = False
html_show_copyright = False  # the licence is in LICENSE
html_copy_source = False
html_extra_path = ["_site"]  # index.html, which leads to the start page

_ENTRY = re.compile(r"(\w+(?:, \w+)*): (.*)")


def as_list(app: object, kind: str, name: str, item: object, options: object, lines: list[str]) -> None:
    """Makes each line "name: what it is" of a docstring, with those that go on with it, an entry of a list."""
    found: list[str] = []
    within = False
    for line in lines:
        entry = _ENTRY.fullmatch(line)
        if entry and not line.startswith((">>>", "Raises")):
            found += ["", f"* ``{entry[1]}``: {entry[2]}"]
            within = True
        elif within and line.strip():
            found.append(f"  {line.strip()}")
        else:
            found += ["", line] if within else [line]
            within = False
    lines[:] = found


_MENDS = {  # what the theme leaves out that a screen reader or a keyboard needs
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="All pages">',
    '<aside class="toc-drawer">': '<aside class="toc-drawer" aria-label="On this page">',
    '<aside class="toc-drawer no-toc">': '<aside class="toc-drawer no-toc" aria-label="On this page">',
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" role="group" aria-label="Table" class="table-wrapper',
}


def make_accessible(app: Any, failure: Exception | None) -> None:
    """Mends the pages that are written; those that were not written again are mended already."""
    folder = Path(app.outdir)
    for page in folder.rglob("*.html") if app.builder.name == "html" else ():
        if not page.relative_to(folder).parts[0].startswith("_"):
            text = page.read_text(encoding="utf-8")
            for left_out, whole in _MENDS.items():
                text = text.replace(left_out, whole)
            page.write_text(text, encoding="utf-8")


def setup(app: Any) -> None:
    """Registers how docstrings are read, and what is mended in the pages at the end."""
    app.connect("autodoc-process-docstring", as_list)
    app.connect("build-finished", make_accessible)
