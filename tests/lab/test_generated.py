"""The generated files of the lab's site are those that their sources make."""

from __future__ import annotations

import pytest

from tools.lab.generated import GENERATED, SITE

LONG = {"pages/derivation.html"}  # every step is proved again, in some 10 s


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.more] if name in LONG else []) for name in GENERATED]
)
def test_a_generated_file_is_as_it_would_be_written(name: str) -> None:
    assert (SITE / name).read_text(encoding="utf-8") == GENERATED[name]()
