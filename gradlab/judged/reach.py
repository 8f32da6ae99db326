"""Out of reach of the code that is judged: what it can neither read nor spoil."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gradlab.judged.confinement import unreadable
from gradlab.storage.cache import only_what_is_there_trusted


@contextmanager
def out_of_reach() -> Iterator[None]:
    """A context in which the code that is judged can neither read this process nor put answers where it keeps them."""
    with unreadable(), only_what_is_there_trusted():
        yield
