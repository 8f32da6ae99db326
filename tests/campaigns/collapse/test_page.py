"""docs/collapse.md shows what docs/collapse.json holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gradlab.campaigns.collapse.keeping import encoded_setting
from gradlab.campaigns.collapse.run import SETTINGS
from gradlab.campaigns.collapse.training import MEASURES

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "collapse.md").read_text()
DOCUMENT: dict[str, Any] = json.loads((DOCS / "collapse.json").read_text())


def test_its_table_has_the_ends_of_all_curves() -> None:
    for one in DOCUMENT["trainings"]:
        ends = [f"{one['curve'][name][-1]:.3g}" for name in MEASURES]
        row = f"| {one['target']} | {one['seed']} | {one['n_steps']:,} | {' | '.join(ends)} |"
        assert row in PAGE


def test_its_ratios_are_those_of_the_curves() -> None:
    ends = {(one["target"], one["seed"]): one["curve"]["mean_weight"][-1] for one in DOCUMENT["trainings"]}
    assert len(DOCUMENT["ratios"]) == 5
    for one in DOCUMENT["ratios"]:
        ratio = ends["shifted", one["seed"]] / ends["accurate", one["seed"]]
        assert abs(one["ratio"] / ratio - 1) < 1e-5
        assert f"seed {one['seed']}: norm of W's class mean at the end, shifted over accurate: {ratio:.3g}\n" in PAGE


def test_it_is_of_the_setting_of_now() -> None:
    assert DOCUMENT["setting"] == encoded_setting(SETTINGS[31])
