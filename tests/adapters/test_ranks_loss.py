"""Losses whose classes are spread over processes: sound ones, wrong ones, and ranks that die, hang or disagree."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.adapters import rank_processes
from gradlab.adapters.rank_processes import RankError
from gradlab.evaluation.call import Implementation
from gradlab.isolation.usage import parents_of_all
from gradlab.targets.load import TargetError, load

pytest.importorskip("torch")
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
TROUBLE = """
import os, signal, time
import torch.distributed as dist
from vocabulary_parallel import loss

def trouble(logits, labels, group):
    rank, value = dist.get_rank(group), loss(logits, labels, group)
    if len(logits) == 11 and rank == 1:
        os.kill(os.getpid(), signal.SIGSEGV)
    if len(logits) == 12 and rank == 1:
        time.sleep(1000)
    if len(logits) == 13 and rank == 0:
        raise ValueError("not today")
    return value + 0.5 * rank if len(logits) == 14 else value
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Implementation]]:
    """Loads a target, the same one once; their processes end with the last test."""
    folder = tmp_path_factory.mktemp("ranks")
    (folder / "trouble.py").write_text(TROUBLE)
    (folder / "vocabulary_parallel.py").write_text((EXAMPLES / "vocabulary_parallel.py").read_text())
    made: dict[str, Implementation] = {}

    def load_it(target: str) -> Implementation:
        with contextlib.chdir(folder):
            if target not in made:
                made[target] = load(target, {})[0]
            return made[target]

    before = _processes()
    yield load_it
    for one in made.values():
        _ranks_of(one).close()
    assert _processes() == before


def _ranks_of(one: Implementation) -> Any:
    function: Any = one.function
    cells = dict(zip(function.__code__.co_freevars, function.__closure__, strict=True))
    return cells["ranks"].cell_contents


def _processes() -> set[int]:
    return {process for process, parent in parents_of_all().items() if parent == os.getpid()}


def _drawn(n_rows: int, n_classes: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    return rng.normal(0, 3, (n_rows, n_classes)), rng.integers(0, n_classes, n_rows)


def _exact(logits: Any, labels: Any) -> tuple[Any, Any]:
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    rows = np.arange(len(labels))
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p / len(labels)


@pytest.mark.parametrize(("size", "name"), [(2, "loss"), (3, "plain")])
def test_the_shards_of_a_sound_loss_make_a_whole(size: int, name: str, loaded: Any) -> None:
    function = loaded(f"ranks:{size}:vocabulary_parallel.py:{name}").function
    for n_rows, n_classes in ((4, 6), (5, 7), (3, 1), (1, 2)):
        logits, labels = _drawn(n_rows, n_classes)
        (loss, gradient), (exact, derivative) = function(logits, labels), _exact(logits, labels)
        np.testing.assert_allclose(loss, exact, rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(gradient, derivative, rtol=1e-12, atol=1e-15)


def test_it_is_differentiated_with_another_upstream_gradient_too(loaded: Any) -> None:
    one = loaded("ranks:2:vocabulary_parallel.py:loss")
    logits, labels = _drawn(4, 6)
    _, gradient = one.function(logits, labels, upstream=np.array(2.0), backward="scaled")
    np.testing.assert_allclose(gradient, 2 * _exact(logits, labels)[1], rtol=1e-12, atol=1e-15)
    assert one.claims.backward == ("scaled", "twice", "accumulated", "detached")


def test_ranks_that_disagree_are_told_apart(loaded: Any) -> None:
    function = loaded("ranks:2:trouble.py:trouble").function
    with pytest.raises(RankError, match=r"^the ranks must agree on the loss: rank 0 has \S+, rank 1 \S+$"):
        function(*_drawn(14, 6))


@pytest.mark.parametrize(
    ("n_rows", "told"),
    [
        (11, "rank 1 of 2 ended its process by SIGSEGV, a segmentation fault"),
        (13, r"rank 0 of 2 raised ValueError: not today \(trouble.py, line \d+\)"),
    ],
)
def test_a_rank_that_fails_is_named_and_the_next_call_is_answered(n_rows: int, told: str, loaded: Any) -> None:
    function = loaded("ranks:2:trouble.py:trouble").function
    with pytest.raises(RankError, match=f"^{told}"):
        function(*_drawn(n_rows, 6))
    logits, labels = _drawn(4, 6)
    np.testing.assert_allclose(function(logits, labels)[0], _exact(logits, labels)[0], rtol=1e-13)


def test_a_rank_that_hangs_is_waited_for_once(loaded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    function = loaded("ranks:2:trouble.py:trouble").function
    function(*_drawn(4, 6))  # whoever it was that an earlier test has ended is there again
    monkeypatch.setattr(rank_processes, "PATIENCE", 0.5)
    with pytest.raises(RankError, match=r"^rank (0 and )?1 of 2 did not answer within 0.5 s$"):
        function(*_drawn(12, 6))
    with pytest.raises(RankError, match=r"^the ranks are not started again: rank "):
        function(*_drawn(4, 6))


@pytest.mark.parametrize("target", ["ranks:5:a.py:loss", "ranks:1:a.py:loss", "ranks:a.py:loss", "ranks:2:"])
def test_another_number_of_ranks_is_refused(target: str) -> None:
    with pytest.raises(
        TargetError, match=r"must be ranks:N:module:callable or ranks:N:file\.py:callable, N one of 2, 3"
    ):
        load(target, {})
