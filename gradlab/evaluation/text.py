"""Text that is not gradlab's own as it is shown: on one line, not too long, and nothing in it that is not printable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MAX_TEXT = 1000  # characters of a text that is not gradlab's own


def on_one_line(spell: Callable[[Any], str], value: Any) -> str:
    """What spell, such as str or repr, makes of something foreign: on one line, printable, MAX_TEXT characters at most.

    Where even that raises it is said what.
    """
    try:
        return one_line(spell(value))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return f"<{spell.__name__} raises {type.__dict__['__name__'].__get__(type(error))}>"


def one_line(text: str) -> str:
    """A text on one line, printable, MAX_TEXT characters at most; also that of a subclass of str."""
    own = str.__getitem__(text, slice(0, MAX_TEXT + 1))
    cut = own if len(own) <= MAX_TEXT else f"{own[:MAX_TEXT]}..."
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in " ".join(cut.split()))


def visible(text: str) -> str:
    """A text as it may be shown on one line: what is not printable is escaped, and it commands no one who reads a log.

    A line that begins with "::" or "##[" is a command to those who run continuous integration.
    """
    shown = text if text.isprintable() else "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    return shown.replace(":", "\\x3a", 1) if shown.lstrip().startswith(("::", "##[")) else shown


def code_span(text: str) -> str:
    """A text as code in Markdown, in a cell of a table too: it stays one cell, and nothing in it is markup."""
    shown = one_line(text).replace("|", "\\|")
    return f"`` {shown} ``" if "`" in shown and "``" not in shown else f"`{shown.replace('`', chr(39))}`"


def class_name(value: Any) -> str:
    """The name of the class of something foreign."""
    name: str = type.__dict__["__name__"].__get__(type(value))  # a metaclass may have another
    return name
