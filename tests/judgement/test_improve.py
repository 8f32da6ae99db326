"""The loop of docs/examples/improve.py, with an author that reads what is said and mends one thing at a time."""

from __future__ import annotations

import runpy
from functools import partial
from pathlib import Path

import pytest

import gradlab
from tests.judgement.conftest import NOT_AVERAGED, NOT_SHIFTED, RIGHT

EXAMPLE = Path(__file__).parents[2] / "docs/examples/improve.py"
BOTH = NOT_AVERAGED.replace("logits.max(axis=1, keepdims=True)", "logits.dtype.type(0)")


class Author:
    """Knows two mends, and makes the one that it is told of."""

    def __init__(self) -> None:
        self.is_mended = {"divide the gradient by N": False, "subtract the largest logit": False}

    def __call__(self, said: str) -> str | None:
        if said and "to do:" not in said:
            return None
        mends = [mend for mend, is_done in self.is_mended.items() if mend in said and not is_done]
        for mend in mends[:1]:
            self.is_mended[mend] = True
        sources = {(False, False): BOTH, (True, False): NOT_SHIFTED, (False, True): NOT_AVERAGED, (True, True): RIGHT}
        averaged, shifted = self.is_mended.values()
        return sources[averaged, shifted]


def test_an_author_that_reads_gets_from_wrong_to_stable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradlab, "judge", partial(gradlab.judge, profile="smoke"))  # the verdicts are the same
    attempts = runpy.run_path(str(EXAMPLE))["improve"](Author(), tmp_path, seed=1)
    verdicts = [one.judgement.verdict for one in attempts]
    rewards = [one.judgement.reward for one in attempts]
    assert verdicts == ["wrong", "unstable", "stable"]
    assert rewards == sorted(rewards)
    assert rewards[0] == 0
    assert rewards[-1] > 0.6
