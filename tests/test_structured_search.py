"""What the search over rows of levels writes: the worse of two entries, and nothing of another kind is displaced."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gradlab.measure.level_climbing import Found, Levels, decoded
from tools.structured_search import KEPT_SIZES, describe, encode
from tools.worst_cases import MANY, merge

FEW_CLASSES = Levels("float32", (1, 30), (0.0, -2.5), 0, 3)
MANY_CLASSES = Levels("float32", (1, MANY), (0.0, -2.5), 1)


def entry(levels: Levels, ulp: float) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(json.dumps(encode("accurate", "target", Found(levels, ulp))))
    return written


PLAIN = {
    "implementation": "accurate",
    "dtype": "float32",
    "part": "target",
    "ulp": 3.5,
    "logits": ["0x1p+0"],
    "label": 0,
}


@pytest.mark.parametrize("levels", [FEW_CLASSES, MANY_CLASSES])
def test_an_entry_holds_the_rows(levels: Levels) -> None:
    assert decoded("float32", entry(levels, 1.0)) == levels


def test_the_worse_of_two_entries_stays() -> None:
    better, worse = entry(FEW_CLASSES, 1.0), entry(FEW_CLASSES, 2.0)
    assert merge([better], [worse]) == merge([worse], [better]) == [worse]
    assert merge([entry(FEW_CLASSES, float("inf"))], [worse])[0]["ulp"] == "inf"


def test_rows_of_levels_of_few_and_of_many_classes_and_plain_rows_stay_beside_one_another() -> None:
    entries = [PLAIN, entry(FEW_CLASSES, 1.0), entry(MANY_CLASSES, 2.0)]
    assert merge(entries[1:], entries[:1]) == entries


def test_what_is_kept_has_2_to_131072_classes() -> None:
    assert [size for sizes in KEPT_SIZES for size in sizes] == list(range(2, 2**17 + 1))


def test_a_line_tells_sizes_and_levels_in_hexadecimal() -> None:
    line = describe("accurate", "target", Found(FEW_CLASSES, 1.25))
    assert line.startswith(
        "accurate float32 target: 1.250 ULP at K = 31, N = 3, label at level 0 of [1 x 0x0.0p+0, 30 x"
    )
