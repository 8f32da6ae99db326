"""docs/collapse.md shows what docs/collapse.json holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gradlab.campaigns.collapse.keeping import encoded_setting
from gradlab.campaigns.collapse.run import SETTINGS
from gradlab.campaigns.collapse.training import MEASURES

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "collapse.md").read_text()
DOCUMENTS: dict[int, Any] = {
    31: json.loads((DOCS / "collapse.json").read_text()),
    113: json.loads((DOCS / "collapse-113.json").read_text()),
}
of_each = pytest.mark.parametrize("modulus", DOCUMENTS)


@of_each
def test_its_table_has_the_ends_of_all_curves(modulus: int) -> None:
    for one in DOCUMENTS[modulus]["trainings"]:
        ends = [f"{one['curve'][name][-1]:.3g}" for name in MEASURES]
        row = f"| {one['target']} | {one['seed']} | {one['n_steps']:,} | {' | '.join(ends)} |"
        assert row in PAGE


@of_each
def test_its_ratios_are_those_of_the_curves(modulus: int) -> None:
    document = DOCUMENTS[modulus]
    ends = {(one["target"], one["seed"]): one["curve"]["mean_weight"][-1] for one in document["trainings"]}
    assert len(document["ratios"]) == len(ends) / 2
    for one in document["ratios"]:
        ratio = ends["shifted", one["seed"]] / ends["accurate", one["seed"]]
        assert abs(one["ratio"] / ratio - 1) < 1e-5
        assert f"seed {one['seed']}: norm of W's class mean at the end, shifted over accurate: {ratio:.3g}\n" in PAGE


@of_each
def test_it_is_of_the_setting_of_now(modulus: int) -> None:
    assert DOCUMENTS[modulus]["setting"] == encoded_setting(SETTINGS[modulus])
