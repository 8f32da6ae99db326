"""Long lists of few runs are written as runs, and read back as they were."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gradlab.storage.packing import LONG, MAX_WORDS, pack, unpack

EQUAL = ["0x1p+0", *["0x1p-3"] * LONG]
DIFFERENT = [f"0x{i:x}p+0" for i in range(LONG)]
PLAIN: list[Any] = [
    EQUAL,
    {"logits": [EQUAL, DIFFERENT], "targets": [1, 0], "nothing": None},
    [[1] * LONG, ["a"] * (LONG - 1), [], {}, 0.5, "word"],
]


@pytest.mark.parametrize("plain", PLAIN)
def test_what_is_packed_is_read_back(plain: Any) -> None:
    assert unpack(json.loads(json.dumps(pack(plain)))) == plain


def test_a_row_of_equals_becomes_two_runs() -> None:
    assert pack(EQUAL) == {"runs": [[1, "0x1p+0"], [LONG, "0x1p-3"]]}


def test_what_has_many_runs_or_is_short_stays_as_it_is() -> None:
    assert pack(DIFFERENT) == DIFFERENT
    assert pack(EQUAL[:100]) == EQUAL[:100]


BAD = [[[0, "a"]], [[1]], [[True, "a"]], [[1, 2]], "a", [[MAX_WORDS + 1, "a"]]]


@pytest.mark.parametrize("runs", BAD)
def test_runs_that_are_none_are_refused(runs: Any) -> None:
    with pytest.raises(ValueError, match="runs must be pairs of a count and a word"):
        unpack({"runs": runs})
