"""A training that is taken up again, and what is measured on its way."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.campaigns.collapse.document import document_of, ratios, table_lines
from gradlab.campaigns.collapse.keeping import keep, kept_or_new, place_of
from gradlab.campaigns.collapse.network import Setting
from gradlab.campaigns.collapse.run import Experiment, gradient_of, train_all
from gradlab.campaigns.collapse.training import MEASURES, advance, begin
from gradlab.implementations.shifted import shifted
from gradlab.problems.problem import Array
from gradlab.storage.files import strict_json
from gradlab.targets.importing import TargetError

SMALL = Setting(7, (8,), 0.6, 60, 1e-2, 20)


def test_two_halves_are_the_whole() -> None:
    whole = advance(begin(SMALL, 0), SMALL, shifted, 60)
    halves = advance(advance(begin(SMALL, 0), SMALL, shifted, 30), SMALL, shifted, 30)
    assert whole.curve == halves.curve
    assert whole.ended == halves.ended == "60 steps"
    assert [point["step"] for point in whole.curve] == [0, 20, 40, 59]


def test_a_kept_training_goes_on_to_the_same_end(tmp_path: Path) -> None:
    place = place_of(tmp_path, SMALL, "shifted", 0)
    keep(advance(begin(SMALL, 0), SMALL, shifted, 30), place)
    again = advance(kept_or_new(place, SMALL, 0), SMALL, shifted, 30)
    assert again.curve == advance(begin(SMALL, 0), SMALL, shifted, 60).curve


@pytest.mark.parametrize("damage", ["", "{}", "[]", "null", "x", '{"schema": 1}'])
def test_a_damaged_file_begins_anew(tmp_path: Path, damage: str) -> None:
    place = place_of(tmp_path, SMALL, "shifted", 0)
    place.write_text(damage)
    assert kept_or_new(place, SMALL, 0).n_done == 0


def test_one_bit_more_begins_anew(tmp_path: Path) -> None:
    place = place_of(tmp_path, SMALL, "shifted", 0)
    keep(advance(begin(SMALL, 0), SMALL, shifted, 30), place)
    place.write_text(place.read_text().replace('"n_done": 30', '"n_done": 31'))
    assert kept_or_new(place, SMALL, 0).n_done == 0


def test_learning_lowers_the_loss() -> None:
    longer = replace(SMALL, n_steps=200)
    curve = advance(begin(longer, 0), longer, shifted, 200).curve
    assert curve[-1]["loss"] < curve[0]["loss"] / 2


def test_zeros_at_the_label_are_counted_and_rows_no_longer_sum_to_zero() -> None:
    def without_the_label(logits: Array, labels: Array) -> tuple[Any, Array]:
        loss, gradient = shifted(logits, labels)
        gradient[np.arange(len(labels)) % 2 == 0, labels[::2]] = 0
        return loss, gradient

    (point,) = advance(begin(SMALL, 0), replace(SMALL, n_steps=1), without_the_label, 1).curve
    assert point["exact_zeros"] == pytest.approx(15 / 29)
    assert point["row_sum"] == pytest.approx(15 / 29, rel=1e-5)


def test_it_ends_where_squares_would_underflow() -> None:
    def tiny(logits: Array, labels: Array) -> tuple[Any, Array]:
        return 0.0, np.full_like(logits, 1e-30)

    ended = advance(begin(SMALL, 0), SMALL, tiny, 60)
    assert ended.n_done == 1
    assert "1e-22" in ended.ended


def test_a_gradient_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the gradient must be float32 of shape \(29, 7\), got float32 of shape"):
        advance(begin(SMALL, 0), SMALL, lambda logits, labels: (0.0, logits[1:]), 1)


def test_all_trainings_come_to_their_end_and_are_kept(tmp_path: Path) -> None:
    experiment = Experiment(SMALL, ("shifted", "accurate"), (0, 1), tmp_path)
    trainings = train_all(experiment)
    assert list(trainings) == [("shifted", 0), ("accurate", 0), ("shifted", 1), ("accurate", 1)]
    assert all(one.n_done == 60 for one in trainings.values())
    assert train_all(experiment)["accurate", 1].curve == trainings["accurate", 1].curve
    assert len(list(tmp_path.iterdir())) == 4


def test_targets_of_another_kind_are_refused() -> None:
    with pytest.raises(TargetError):
        gradient_of("no_such_target")


def test_the_document_is_strict_json_and_has_all_curves(tmp_path: Path) -> None:
    trainings = train_all(Experiment(SMALL, ("shifted", "accurate"), (0,), tmp_path))
    document = document_of(SMALL, trainings)
    assert strict_json(document)
    assert [len(one["curve"][name]) for one in document["trainings"] for name in MEASURES] == [4] * 14
    ((seed, by_target, ratio),) = ratios(trainings)
    assert seed == 0
    assert ratio == by_target["shifted"] / by_target["accurate"]
    assert math.isfinite(ratio)
    assert len(table_lines(trainings)) == 2 + 2 + 1 + 1
