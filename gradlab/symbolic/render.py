"""A derivation printed for a reader: plain text, LaTeX, or Python with the steps as comments."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator

from gradlab.symbolic.document import DEFINITION, Document, Line, Section, document
from gradlab.symbolic.forms import FORMS
from gradlab.symbolic.generate import numpy_source
from gradlab.symbolic.layer_code import numpy_module
from gradlab.symbolic.layer_document import LAYER, layer_document
from gradlab.symbolic.proofs import Proof
from gradlab.symbolic.prose import as_latex, as_text

_WIDTH = 100


def derive(form: str = DEFINITION, style: str = "text") -> str:
    """The derivation of a form, every step proved while it is printed, ending in a newline.

    form: "definition" (gradient, Hessian and options), "layer", or textbook, shifted, log-space, complement.
    style: "text"; "latex", a fragment that needs amsmath; "python", the generated NumPy function under its steps.
    Raises ValueError for another form or style, ProofError where a step is not true.
    """
    if style not in STYLES:
        raise ValueError(f"style must be one of {', '.join(STYLES)}, got {style!r}")
    return STYLES[style](form)


def _as_text(form: str) -> str:
    return "\n".join(_text_lines(_contents(form))) + "\n"


def _contents(form: str) -> Document:
    return layer_document() if form == LAYER else document(form)


def _as_python(form: str) -> str:
    """The definition has no program of its own: its gradient's closed form is the textbook form."""
    comments = "\n".join(f"# {line}".rstrip() for line in _text_lines(_contents(form)))
    if form == LAYER:
        return f"{comments}\n{numpy_module('')}"
    source = numpy_source(FORMS["textbook" if form == DEFINITION else form])
    return f"{comments}\n\n{_IMPORTS}\n\n{source}"


_IMPORTS = "from typing import Any\n\nimport numpy as np\n\nArray = np.ndarray[Any, np.dtype[Any]]\n"


def _text_lines(contents: Document) -> Iterator[str]:
    yield contents.title
    yield "=" * len(contents.title)
    yield ""
    for letter, meaning in contents.letters:
        yield f"  {as_text(letter):<8} {meaning.meaning}"
    for section in contents.sections:
        yield ""
        yield from _text_section(section)


def _text_section(section: Section) -> Iterator[str]:
    yield section.title
    yield "-" * len(section.title)
    yield from textwrap.wrap(section.words, _WIDTH)
    for line in section.lines:
        yield from _text_line(line)
    if section.lines and section.facts:
        yield ""
    for fact in section.facts:
        yield from textwrap.wrap(fact.statement, _WIDTH, initial_indent="  * ", subsequent_indent="    ")
        yield f"    [{fact.label}]"


def _text_line(line: Line) -> Iterator[str]:
    formula = f"{as_text(line.left)} = {as_text(line.right)}"
    if not line.name:
        yield f"  {formula}"
        return
    yield ""
    yield f"  ({line.number}) {line.name}" if line.number else f"  {line.name}"
    yield f"      {formula}"
    if line.why:
        yield from textwrap.wrap(line.why, _WIDTH, initial_indent="      ", subsequent_indent="      ")
    if line.method:
        yield f"      [proved: {line.method}]"


def _as_latex(form: str) -> str:
    contents = _contents(form)
    letters = "\n".join(
        rf"  \item[${as_latex(letter)}$] {_words(meaning.meaning)}" for letter, meaning in contents.letters
    )
    sections = "\n".join(_latex_section(section) for section in contents.sections)
    return (
        "% Needs \\usepackage{amsmath} in the preamble.\n"
        f"\\section*{{{_words(contents.title)}}}\n"
        f"\\begin{{description}}\n{letters}\n\\end{{description}}\n{sections}"
    )


def _latex_section(section: Section) -> str:
    text = f"\\subsection*{{{_words(section.title)}}}\n"
    if section.words:
        text += f"{_words(section.words)}\n"
    if section.lines:
        rows = " \\\\\n".join(_latex_row(line) for line in section.lines)
        text += f"\\begin{{align*}}\n{rows}\n\\end{{align*}}\n"
    remarks = [
        *(_latex_remark(line) for line in section.lines if line.method or (not line.number and line.name)),
        *map(_latex_fact, section.facts),
    ]
    if remarks:
        items = "\n".join(f"  \\item {remark}" for remark in remarks)
        text += f"\\begin{{itemize}}\n{items}\n\\end{{itemize}}\n"
    return text


def _latex_row(line: Line) -> str:
    tag = rf" \tag{{{line.number}}}" if line.number else ""
    return f"  {as_latex(line.left)} &= {as_latex(line.right)}{tag}"


def _latex_remark(line: Line) -> str:
    number = f"({line.number}) " if line.number else ""
    why = f": {_words(line.why)}" if line.why else ""
    method = rf" \emph{{Proved: {_words(line.method)}.}}" if line.method else ""
    return f"{number}{_words(line.name)}{why}.{method}"


def _latex_fact(fact: Proof) -> str:
    return rf"{_words(fact.statement)}. \emph{{{_words(fact.label[0].upper() + fact.label[1:])}.}}"


def _words(text: str) -> str:
    """Words for LaTeX: entries such as x_j and delta_ik become mathematics, an underscore elsewhere is escaped."""
    pieces = re.split(r"\b(delta_[a-z]+|sum_[a-z]|[a-zA-Z]_[a-z]|[AKNR])\b", text)
    return "".join(_mathematics(piece) if place % 2 else _escape(piece) for place, piece in enumerate(pieces))


def _mathematics(entry: str) -> str:
    letter, _, index = entry.partition("_")
    letter = {"delta": r"\delta", "sum": r"\sum"}.get(letter, letter)
    return f"${letter}_{{{index}}}$" if index else f"${letter}$"


def _escape(text: str) -> str:
    return re.sub(r"([_&%#$])", r"\\\1", text)


STYLES: dict[str, Callable[[str], str]] = {"text": _as_text, "latex": _as_latex, "python": _as_python}
