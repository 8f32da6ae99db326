"""The atlas as a page and as a picture, from a small document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gradlab.campaigns.atlas.document import read_atlas
from gradlab.campaigns.atlas.page import as_markdown

RULE = {"name": "refused", "says": "an exception", "followed_by": "torch", "ours": True}


def part(ulp: float | str, index: int | None = 0) -> dict[str, Any]:
    problem = {"logits": [["0x1.4000000000000p+4", "0x0.0p+0"]], "targets": [1]}
    return {"ulp": ulp, "seed": 3, "index": index, "shape": [1, 2], "digest": "", "problem": problem}


def document(**changes: Any) -> dict[str, Any]:
    """An atlas of one target in float32 on two families."""
    chart = {
        "dtype": "float32",
        "label": "searched",
        "verdict": "unstable",
        "failed": ["a", "b", "c", "d"],
        "families": [
            {"family": "one", "n_problems": 1, "parts": {"loss": part(0.5), "target": part(1), "others": part(2.25)}},
            {
                "family": "two",
                "n_problems": 1,
                "parts": {"loss": part("inf"), "target": part(2**24), "others": part(0)},
            },
        ],
        "vanishes": {"margin": "0x1.0800000000000p+4", "confirmed": True},
        "conformance": {"label_k": {"rules": ["wraps"], "not_claimed": [], "seen": "loss 1", "as_ruled": False}},
    }
    return {
        "command": "gradlab atlas mine",
        "profile": "standard",
        "seeds": [0, 1],
        "machine": {"python": "3.11", "processor": "a processor"},
        "versions": {"gradlab": "1"},
        "families": {"one": "the first.", "two": "the second."},
        "cases": {"label_k": {"question": "A label of K", "rules": [RULE]}},
        "vanishes_rightly": {"float32": "0x1.9fe36a0000000p+6"},
        "missing": [{"target": "torch:x", "reason": "torch:x needs torch"}],
        "targets": [{"target": "mine", "reduction": "mean", "charts": [chart], "exhaustive": None}],
        **changes,
    }


def test_the_command_stands_on_the_first_line() -> None:
    first = as_markdown(document()).splitlines()[0]
    assert first == "<!-- Written by `gradlab atlas mine`; not to be edited. -->"


def test_the_summary_has_the_largest_error_of_all_families() -> None:
    assert "| `mine` | unstable | inf | 1.68e7 | 2.25 | 16.5 (0x1.08p+4) | a, b, c, ... |" in as_markdown(document())


def test_families_have_their_own_errors() -> None:
    page = as_markdown(document())
    assert "| one | 0.50 / 1.00 / 2.25 |" in page
    assert "| two | inf / 1.68e7 / 0.00 |" in page


def test_the_worst_input_is_in_hexadecimal() -> None:
    assert "| `mine` | loss | inf | two[0], seed 3 | `[[0x1.4p+4, 0x0p+0]]`, [1] |" in as_markdown(document())


def test_a_rule_that_is_not_gradlabs_is_bold_and_every_rule_is_told() -> None:
    page = as_markdown(document())
    assert "| label_k | **wraps** |" in page
    assert "- `label_k`. A label of K:\n  - **refused**: an exception (torch)\n" in page


def test_what_is_left_out_is_said() -> None:
    assert "\nLeft out: torch:x needs torch.\n" in as_markdown(document())


def test_exhaustive_figures_are_called_so() -> None:
    found = {
        "label": "exhaustive",
        "dtype": "float32",
        "n_margins": 1120927744,
        "current": True,
        "parts": {"loss": {"ulp": 2.5, "margin": "0x1.0000000000000p+0", "label": 1}, "target": None, "others": None},
    }
    atlas = document()
    atlas["targets"][0]["exhaustive"] = found
    said = "*Exhaustive*, 1,120,927,744 margins, `mine`{}: loss 2.50 at M = 0x1p+0, label 1."
    assert said.format("") in as_markdown(atlas)
    found["current"] = False
    assert said.format(" (its sources have changed since)") in as_markdown(atlas)


def test_the_picture_is_the_same_each_time_and_is_named_on_the_page() -> None:
    pytest.importorskip("matplotlib")
    from gradlab.campaigns.atlas.picture import as_svg

    pictures = {as_svg(document()) for _ in range(2)}
    assert len(pictures) == 1
    assert "<svg" in pictures.pop()
    assert "](atlas.svg)" in as_markdown(document(), "atlas.svg")


def test_the_page_in_the_documentation_is_what_the_document_beside_it_says() -> None:
    docs = Path(__file__).parents[3] / "docs"
    assert as_markdown(read_atlas(docs / "atlas.json"), "atlas.svg") == (docs / "atlas.md").read_text(encoding="utf-8")
