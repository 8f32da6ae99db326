"""The judged process from its first line on: confined before anything starts a thread, as loading NumPy does."""

from __future__ import annotations

from typing import Any

from gradlab.judged.confinement import confine


def start(**given: Any) -> None:
    """Confines the process and answers questions, as `gradlab.judged.host.start`, whose arguments these are."""
    confine()
    from gradlab.judged.host import start as answer_questions

    answer_questions(**given)
