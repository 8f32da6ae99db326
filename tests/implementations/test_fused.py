"""What the compiled implementations take beyond logits and labels, and that the fast ones need little memory."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.implementations import _compiled
from gradlab.implementations.accurate import accurate
from gradlab.implementations.blocked import blocked
from gradlab.implementations.fused import fused
from gradlab.implementations.fused_accurate import fused_accurate
from gradlab.measure.timing import bytes_beyond_the_gradient
from gradlab.targets.load import TargetError, load
from gradlab.targets.shipped import shipped_targets

COMPILED = [fused, fused_accurate]
BOTH = 11 + 12  # ULP: what docs/accuracy.md proves of accurate and of fused_accurate


def batch(shape: tuple[int, int], dtype: str = "float32") -> tuple[Any, Any]:
    rng = np.random.default_rng(5)
    return rng.normal(0, 5, shape).astype(dtype), rng.integers(0, shape[1], shape[0])


@pytest.mark.parametrize("function", [blocked, fused, fused_accurate])
def test_beyond_the_gradient_a_mebibyte_is_enough(function: Any) -> None:
    if function is not blocked:
        pytest.importorskip("numba")
    assert bytes_beyond_the_gradient(function, batch((4096, 1000))) <= 2**20


@pytest.mark.parametrize("function", COMPILED)
class TestCompiled:
    @pytest.fixture(autouse=True)
    def _numba(self) -> None:
        pytest.importorskip("numba")

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_threads_change_no_bit(self, function: Any, dtype: str) -> None:
        logits, labels = batch((501, 1200), dtype)
        loss, gradient = function(logits, labels)
        for threads in (2, 3, 64):
            again = function(logits, labels, threads=threads)
            assert (loss, gradient.tobytes()) == (again[0], again[1].tobytes())

    def test_threads_must_be_one_at_least(self, function: Any) -> None:
        with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
            function(*batch((3, 4)), threads=0)

    def test_the_gradient_is_written_to_out(self, function: Any) -> None:
        logits, labels = batch((7, 30))
        out = np.full_like(logits, np.nan)
        assert function(logits, labels, out=out)[1] is out
        assert np.array_equal(out, function(logits, labels)[1])

    @pytest.mark.parametrize(
        "out",
        [np.empty((3, 5), np.float32), np.empty((3, 4)), np.empty((4, 3), np.float32).T],
        ids=["shape", "dtype", "order"],
    )
    def test_out_must_fit(self, function: Any, out: Any) -> None:
        with pytest.raises(ValueError, match="out must be an array of its own in C order"):
            function(*batch((3, 4)), out=out)

    def test_out_must_not_be_the_logits(self, function: Any) -> None:
        logits, labels = batch((3, 4))
        with pytest.raises(ValueError, match="of its own"):
            function(logits, labels, out=logits)

    def test_out_must_not_be_the_memory_of_the_labels(self, function: Any) -> None:
        room = np.zeros(16)
        labels = room[4:8].view(np.int64)
        with pytest.raises(ValueError, match="of its own"):
            function(np.zeros((4, 4)), labels, out=room.reshape(4, 4))

    def test_the_reductions_fit_each_other(self, function: Any) -> None:
        logits, labels = batch((8, 50), "float64")
        (losses, rows), (total, summed), (mean, averaged) = (
            function(logits, labels, reduction) for reduction in ("none", "sum", "mean")
        )
        assert np.array_equal(rows, summed)
        assert np.array_equal(rows / 8, averaged)
        assert total == pytest.approx(losses.sum(), rel=4 * np.finfo(float).eps)
        assert mean == total / 8

    def test_another_reduction_is_refused(self, function: Any) -> None:
        with pytest.raises(ValueError, match="reduction must be none, mean or sum, got 'max'"):
            function(*batch((3, 4)), "max")

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("n_classes", [1, 2, 7, 64, 131, 2500])
    def test_a_nan_spoils_its_own_row_and_no_other(self, function: Any, dtype: str, n_classes: int) -> None:
        rng = np.random.default_rng(n_classes)
        logits = rng.normal(0, 3, (3, n_classes)).astype(dtype)
        labels = rng.integers(0, n_classes, 3)
        losses, gradient = function(logits, labels, "none")
        for j in {0, *rng.integers(0, n_classes, 20).tolist(), n_classes - 1}:
            for nan in (np.nan, -np.nan, np.inf):
                spoilt = logits.copy()
                spoilt[1, j] = nan
                found, rows = function(spoilt, labels, "none")
                assert np.isnan(found[1])
                assert np.isnan(rows[1]).all()
                assert np.array_equal(found[[0, 2]], losses[[0, 2]])
                assert np.array_equal(rows[[0, 2]], gradient[[0, 2]])

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    @pytest.mark.parametrize("n_classes", [7, 20, 31, 41])
    def test_the_answer_does_not_depend_on_where_the_arrays_lie(
        self, function: Any, dtype: str, n_classes: int
    ) -> None:
        logits, labels = batch((2, n_classes), dtype)
        expected = function(logits, labels)[1]
        for gap in range(0, 64, 3):
            room = np.empty(2 * logits.size + gap, dtype)
            for first, second in (
                (room[: logits.size], room[-logits.size :]),
                (room[-logits.size :], room[: logits.size]),
            ):
                given, out = first.reshape(logits.shape), second.reshape(logits.shape)
                given[:] = logits
                assert np.array_equal(function(given, labels, out=out)[1], expected)


@pytest.mark.parametrize("margin", [-40.0, -12.0, -6.0, 0.0, 6.0, 12.0, 30.0, 40.0])
def test_the_label_is_taken_off_the_sum_without_a_trace(margin: float) -> None:
    """The others' sum against that of `accurate`, which never holds the label, at every size beside the label's."""
    pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    for dtype, n_classes in (("float32", 1000), ("float64", 1000), ("float64", 20000)):
        logits = rng.normal(0, 1, (4, n_classes)).astype(dtype)
        labels = rng.integers(0, n_classes, 4)
        logits[np.arange(4), labels] = logits.max() + np.log(n_classes) + margin
        (loss, gradient), (same, rows) = accurate(logits, labels), fused_accurate(logits, labels)
        tolerance = BOTH * float(np.finfo(dtype).eps)
        assert float(same) == pytest.approx(float(loss), rel=tolerance)
        np.testing.assert_allclose(rows, gradient, rtol=tolerance)


def test_no_reference_is_counted() -> None:
    pytest.importorskip("numba")
    elementary = importlib.import_module("gradlab.implementations._elementary")

    def of_views(rows: Any) -> float:
        total = 0.0
        for i in range(len(rows)):
            total += elementary.largest_of(rows[i])
        return total

    compiled = elementary.compiled()(of_views)
    assert compiled(np.ones((2, 3))) == 2
    (written,) = compiled.inspect_llvm().values()
    assert "NRT_" not in written


def test_without_numba_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    for module in ("_kernels", "_accurate_rows", "_fast_rows", "_keeping", "_elementary"):
        monkeypatch.delitem(sys.modules, f"gradlab.implementations.{module}", raising=False)
        monkeypatch.delattr(f"gradlab.implementations.{module}", raising=False)
    with pytest.raises(ImportError, match=r"needs numba, which the extra brings: gradlab-verify\[fast\]"):
        _compiled.kernels()


def test_without_numba_they_are_neither_judged_nor_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    shipped_targets.cache_clear()
    try:
        assert {"fused", "fused_accurate"}.isdisjoint(shipped_targets())
        assert "shifted" in shipped_targets()
        with pytest.raises(TargetError, match=r"fused needs numba, which the extra brings: gradlab-verify\[fast\]"):
            load("fused", {})
    finally:
        shipped_targets.cache_clear()


def test_compiled_code_is_kept_for_one_name_of_the_module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    numba = pytest.importorskip("numba")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))  # code of no module that can be imported again
    keep = importlib.import_module("gradlab.implementations._keeping").keep

    def kept_as(module: str) -> str:
        def same(value: Any) -> Any:
            return value

        same.__module__ = module
        name: str = keep([numba.float64(numba.float64)])(same).py_func.__qualname__
        return name

    assert kept_as("implementations._kernels") != kept_as("gradlab.implementations._kernels")
