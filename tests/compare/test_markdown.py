"""The summary in Markdown: the worse first, nothing of it taken for markup, and never too long."""

from __future__ import annotations

from typing import Any

from gradlab.compare.change import Change, Effect
from gradlab.compare.markdown import MAX_BYTES, cap, summary


def report(name: str, verdict: str) -> dict[str, Any]:
    return {"implementations": [{"name": name, "verdict": verdict, "level": "stable", "met": verdict == "stable"}]}


def test_what_is_worse_comes_first() -> None:
    found = [Change("loss", "is faster", Effect.BETTER), Change("loss", "is wrong", Effect.WORSE)]
    text = summary(report("loss", "stable"), report("loss", "wrong"), found)
    assert text.splitlines()[:4] == [
        "### gradlab: 2 changes, 1 for the worse, 1 for the better",
        "",
        "- **worse**: loss \u00b7 is wrong",
        "- better: loss \u00b7 is faster",
    ]
    assert "| loss | stable | wrong | stable | no |" in text.splitlines()


def test_a_name_is_no_markup() -> None:
    text = summary(report("a|b", "stable"), report("a|b", "stable"), [Change("a|b", "<b>\n# `x` *y*", Effect.CHANGED)])
    assert r"- changed: a\|b · \<b\> \# \`x\` \*y\*" in text.splitlines()
    assert r"| a\|b | stable | stable | stable | yes |" in text.splitlines()


def test_a_long_summary_is_cut_and_says_so() -> None:
    found = [Change("loss", f"{i} " + "\u00e9" * 1000, Effect.WORSE) for i in range(1000)]
    text = summary(report("loss", "stable"), report("loss", "stable"), found)
    assert 0.9 * MAX_BYTES < len(text.encode()) < 1.01 * MAX_BYTES
    assert text.splitlines()[-1].endswith("lines are left out: a summary must be at most 200,000 bytes here.")


def test_a_short_summary_is_whole() -> None:
    assert cap(["a", "b"]) == "a\nb\n"
