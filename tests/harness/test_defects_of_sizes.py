"""Defects that show in some shapes, layouts, integer types or combinations alone are rejected by the quick profile.

The thresholds and combinations here are in no table of sizes by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradlab.checks.check import Check
from gradlab.checks.table import check_named
from gradlab.evaluation.call import Implementation
from gradlab.evaluation.claims import claims_from
from gradlab.harness.plan import Plan
from gradlab.harness.profiles import Profile
from gradlab.implementations.shifted import shifted
from gradlab.problems.problem import Array
from tests.runs import rejects

PLAN = Plan(Profile("families", "quick", 0, 0, 0), seed=1)
AT_SIZES, KEPT = "answer_is_right_at_this_size", "earlier_answers_stay_as_they_were"

Defect = Callable[[Array, Array], Any]


def right(logits: Array, labels: Array) -> Any:
    return shifted(logits, np.asarray(labels).astype(np.int64))


def rows_read_modulo(block: int) -> Defect:
    def defect(logits: Array, labels: Array) -> Any:
        rows = np.arange(len(logits)) % block
        return right(logits, labels)[0], right(logits[rows], labels)[1]

    return defect


def rows_not_written_beyond(last: int) -> Defect:
    def defect(logits: Array, labels: Array) -> Any:
        loss, gradient = right(logits, labels)
        gradient[last:] = 0
        return loss, gradient

    return defect


def entries_not_written_beyond(last: int) -> Defect:
    def defect(logits: Array, labels: Array) -> Any:
        loss, gradient = right(logits, labels)
        gradient.reshape(-1)[last:] = 0
        return loss, gradient

    return defect


def classes_summed_up_to(last: int) -> Defect:
    def defect(logits: Array, labels: Array) -> Any:
        loss, gradient = right(logits, labels)
        if logits.shape[1] > last:
            m = logits.max(axis=1, keepdims=True)
            e = np.exp(logits - m)
            gradient = gradient + e / (len(e) * e.sum(1, keepdims=True)) * (e[:, last:].sum(1, keepdims=True) > 0)
        return loss, gradient

    return defect


def target_forgotten_where(condition: Callable[[int, int], bool]) -> Defect:
    def defect(logits: Array, labels: Array) -> Any:
        loss, gradient = right(logits, labels)
        if condition(*logits.shape):
            gradient[np.arange(len(labels)), labels.astype(np.int64)] += gradient.dtype.type(1 / len(labels))
        return loss, gradient

    return defect


def labels_in(dtype: str) -> Defect:
    def defect(logits: Array, labels: Array) -> Any:
        narrow = np.asarray(labels).astype(dtype).astype(np.int64) % logits.shape[1]
        return right(logits, labels)[0], right(logits, narrow)[1]

    return defect


def unsigned_taken_for_signed(logits: Array, labels: Array) -> Any:
    if labels.dtype.kind == "u":
        labels = labels.astype(f"i{labels.itemsize}").astype(np.int64) % logits.shape[1]
    return right(logits, labels)


def rows_counted_in_half_precision(logits: Array, labels: Array) -> Any:
    loss, gradient = right(logits, labels)
    n = len(logits)
    return loss, gradient * gradient.dtype.type(n / max(float(np.float16(min(n, 65_504))), 1.0))


def last_row_left_out(divisor: int) -> Defect:
    def defect(logits: Array, labels: Array) -> Any:
        loss, gradient = right(logits, labels)
        if len(logits) > divisor and len(logits) % divisor == 1:
            gradient[-1] = 0
        return loss, gradient

    return defect


def columns_read_forwards(logits: Array, labels: Array) -> Any:
    return right(logits[:, ::-1] if logits.strides[1] < 0 else logits, labels)


def stride_of_rows_assumed(logits: Array, labels: Array) -> Any:
    if (
        logits.size > 500
        and logits.strides[0] > logits.shape[1] * logits.itemsize == logits.shape[1] * logits.strides[1]
    ):
        logits = np.lib.stride_tricks.as_strided(logits, strides=(logits.shape[1] * logits.itemsize, logits.itemsize))
    return right(logits, labels)


def unshifted_where(condition: Callable[[int, int], bool]) -> Defect:
    def defect(logits: Array, labels: Array) -> Any:
        if not condition(*logits.shape):
            return right(logits, labels)
        with np.errstate(all="ignore"):
            e = np.exp(logits)
            p = e / e.sum(axis=1, keepdims=True)
            loss = -np.log(p[np.arange(len(labels)), labels]).mean()
        p[np.arange(len(labels)), labels] -= 1
        return loss, p / logits.dtype.type(len(labels))

    return defect


def largest_of_blocks_of_rows(block: int) -> Defect:
    def defect(logits: Array, labels: Array) -> Any:
        if len(logits) <= block:
            return right(logits, labels)
        starts = np.arange(0, len(logits), block)
        largest = np.maximum.reduceat(logits.max(axis=1), starts)
        e = np.exp(logits - np.repeat(largest, block)[: len(logits), None])
        with np.errstate(all="ignore"):
            p = e / e.sum(axis=1, keepdims=True)
        p[np.arange(len(labels)), labels] -= 1
        return right(logits, labels)[0], p / logits.dtype.type(len(labels))

    return defect


def power_of_two(n: int) -> bool:
    return n & (n - 1) == 0


DEFECTS: dict[str, Defect] = {
    "rows modulo 3000": rows_read_modulo(3000),
    "rows modulo 16384": rows_read_modulo(16_384),
    "rows modulo 100000": rows_read_modulo(100_000),
    "rows beyond 8191": rows_not_written_beyond(8191),
    "rows beyond 65535": rows_not_written_beyond(65_535),
    "entries beyond 2^17": entries_not_written_beyond(2**17),
    "entries beyond 10^6": entries_not_written_beyond(10**6),
    "classes beyond 20000": classes_summed_up_to(20_000),
    "classes beyond 100000": classes_summed_up_to(100_000),
    "classes beyond 131072": classes_summed_up_to(131_072),
    "both powers of two from 128": target_forgotten_where(
        lambda n, k: power_of_two(n) and power_of_two(k) and n >= 128 and k >= 128
    ),
    "both multiples of 32": target_forgotten_where(lambda n, k: n % 32 == k % 32 == 0),
    "one fewer than a power of two in both": target_forgotten_where(
        lambda n, k: power_of_two(n + 1) and power_of_two(k + 1) and min(n, k) >= 31
    ),
    "one more in rows, a power of two in classes": target_forgotten_where(
        lambda n, k: power_of_two(n - 1) and power_of_two(k) and min(n, k) >= 32
    ),
    "128 x 10": target_forgotten_where(lambda n, k: (n, k) == (128, 10)),
    "256 x 10": target_forgotten_where(lambda n, k: (n, k) == (256, 10)),
    "32 x 100": target_forgotten_where(lambda n, k: (n, k) == (32, 100)),
    "64 x 1000": target_forgotten_where(lambda n, k: (n, k) == (64, 1000)),
    "150 x 3": target_forgotten_where(lambda n, k: (n, k) == (150, 3)),
    "no shift where both are multiples of 8": unshifted_where(lambda n, k: n % 8 == k % 8 == 0),
    "no shift from 5000 classes on": unshifted_where(lambda n, k: k >= 5000),
    "no shift from 2000 rows on": unshifted_where(lambda n, k: n >= 2000),
    "no shift from 200,000 entries on": unshifted_where(lambda n, k: n * k >= 200_000),
    "shifted by the largest of 200 rows": largest_of_blocks_of_rows(200),
    "50257 classes": target_forgotten_where(lambda n, k: k == 50_257),
    "128256 classes": target_forgotten_where(lambda n, k: k == 128_256),
    "many more rows than classes": target_forgotten_where(lambda n, k: n > 5000 * k),
    "labels in int16": labels_in("int16"),
    "labels in uint16": labels_in("uint16"),
    "labels in float16": labels_in("float16"),
    "unsigned for signed": unsigned_taken_for_signed,
    "rows in half precision": rows_counted_in_half_precision,
    "remainder of 1000": last_row_left_out(1000),
    "remainder of 512": last_row_left_out(512),
    "columns in reverse": columns_read_forwards,
    "rows apart": stride_of_rows_assumed,
}


@pytest.mark.parametrize("name", DEFECTS)
def test_it_is_rejected_in_some_dtype(name: str) -> None:
    own = Implementation("one", DEFECTS[name], claims_from({}))
    check: Check = check_named(AT_SIZES)
    assert any(rejects(own, PLAN, check, dtype) for dtype in own.claims.dtypes)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_path_for_one_common_shape_is_rejected_in_each_dtype(dtype: str) -> None:
    own = Implementation("one", DEFECTS["256 x 10"], claims_from({}))
    assert rejects(own, PLAN, check_named(AT_SIZES), dtype)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_path_for_half_precision_alone_is_rejected(dtype: str) -> None:
    def tensor_cores(logits: Array, labels: Array) -> Any:
        loss, gradient = right(logits.astype(np.float32), labels)
        is_fast = logits.itemsize == 2 and logits.shape[0] % 16 == logits.shape[1] % 16 == 0
        return loss.astype(logits.dtype), (gradient * (0.5 if is_fast else 1)).astype(logits.dtype)

    own = Implementation("one", tensor_cores, claims_from({"dtypes": [dtype, "float32"]}))
    assert rejects(own, PLAN, check_named(AT_SIZES), dtype)


@pytest.mark.parametrize(("count", "least"), [(1, 0), (4, 0), (8, 0), (1, 50_000), (5, 2000)])
def test_buffers_that_are_handed_out_again_are_rejected(count: int, least: int) -> None:
    kept: dict[tuple[int, ...], list[Array]] = {}

    def reuses(logits: Array, labels: Array) -> Any:
        loss, gradient = right(logits, labels)
        if gradient.size < least:
            return loss, gradient
        buffers = kept.setdefault(gradient.shape, [np.empty_like(gradient) for _ in range(count)])
        buffers.append(buffers.pop(0))
        buffers[-1][...] = gradient
        return loss, buffers[-1]

    assert rejects(Implementation("one", reuses, claims_from({})), PLAN, check_named(KEPT), "float32")


@pytest.mark.parametrize("part", ["logits", "labels"])
def test_inputs_that_are_changed_in_large_calls_alone_are_rejected(part: str) -> None:
    def overwrites(logits: Array, labels: Array) -> Any:
        loss, gradient = right(logits, labels)
        changed = logits if part == "logits" else labels
        if len(labels) > 700 and changed.flags.writeable:
            changed[...] = changed[::-1].copy()
        return loss, gradient

    own = Implementation("one", overwrites, claims_from({}))
    assert any(rejects(own, PLAN, check_named(AT_SIZES), dtype) for dtype in own.claims.dtypes)


@pytest.mark.parametrize("name", [AT_SIZES, KEPT])
def test_the_right_one_is_not(name: str) -> None:
    own = Implementation("right", right, claims_from({}))
    assert not any(rejects(own, PLAN, check_named(name), dtype) for dtype in own.claims.dtypes)
