"""Problems survive as plain data to the last bit; enclosures stay enclosures."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Answer
from gradlab.oracle.enclosure import enclose
from gradlab.oracle.ends import ends_of
from gradlab.oracle.intervals import Enclosures
from gradlab.problems.dtypes import DTYPE_NAMES, as_dtype, format_of
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem
from gradlab.storage.encoding import decoded_problem, encoded_answer, encoded_array, encoded_problem, hex_of


def edges(dtype: str) -> Any:
    """The corners of a format: zeros, the smallest and largest numbers, neighbours of 1, infinities and NaN."""
    fmt = format_of(dtype)
    values = [0.0, -0.0, fmt.smallest_subnormal, -fmt.smallest_normal, 1 + 2 * fmt.unit_roundoff, fmt.largest]
    return np.array([*values, -fmt.largest, np.inf, -np.inf, np.nan, 0.1, -3.0]).astype(as_dtype(dtype)).reshape(3, 4)


def given(logits: Any, targets: Any, *more: Any) -> Problem:
    return Problem(np.asarray(logits), np.asarray(targets), *more)


PROBLEMS = {
    **{f"edges of {dtype}": given(edges(dtype), [0, 3, 1], Objective(), "edges") for dtype in DTYPE_NAMES},
    "no rows": given(np.zeros((0, 3)), np.zeros(0, dtype=int)),
    "one entry": given(np.zeros((1, 1), dtype=np.float32), [0]),
    "options": given(np.eye(3), [0, 1, -7], Objective("none", "index", 0.1, (0.5, 1 / 3, 2.0), -7)),
    "real options": given(np.eye(2), [0, 1], Objective("sum", "index", 0.0, None, None, 30.0, 1 / 3, 1e-4, -0.1)),
    "probabilities": given(np.eye(2), np.array([[0.1, 0.9], [0, 3]]), Objective("sum", "probability")),
    "a product": given(np.eye(2), [0, 1], Objective(derivative="hessian_vector_product"), "drawn", np.eye(2) / 3),
    "a Hessian": given(np.eye(2), [0, 1], Objective("none", derivative="hessian")),
    "far label": given(np.eye(2), [0, -(2**63)], Objective(ignore_index=-(2**63))),
}


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_a_problem_comes_back_to_the_last_bit(problem: Problem) -> None:
    back = decoded_problem(json.loads(json.dumps(encoded_problem(problem), allow_nan=False)))
    nan = np.isnan(problem.logits64)
    assert (back.logits.dtype, back.objective, back.family) == (problem.logits.dtype, problem.objective, problem.family)
    assert back.logits[~nan].tobytes() == problem.logits[~nan].tobytes()
    assert np.array_equal(np.isnan(back.logits64), nan)
    assert np.array_equal(back.targets, problem.targets)
    vectors = [None if one.vector is None else one.vector.tolist() for one in (back, problem)]
    assert vectors[0] == vectors[1]


@pytest.mark.parametrize("dtype", DTYPE_NAMES)
def test_the_digest_comes_back_without_nan(dtype: str) -> None:
    logits = edges(dtype)
    logits[np.isnan(logits)] = 1
    problem = given(logits, [0, 1, 2])
    assert decoded_problem(encoded_problem(problem)).digest == problem.digest


def test_a_problem_kept_before_there_were_real_options_has_none_of_them() -> None:
    plain = encoded_problem(PROBLEMS["options"])
    for name in Objective.real_names():
        del plain["objective"][name]
    assert decoded_problem(plain).objective == PROBLEMS["options"].objective


def broken(**changes: Any) -> dict[str, Any]:
    plain = encoded_problem(given(np.array([[0.5, 1.0]], dtype=np.float32), [1]))
    return {**plain, **changes}


OBJECTIVE = encoded_problem(given(np.zeros((1, 2)), [0]))["objective"]


@pytest.mark.parametrize(
    ("plain", "reason"),
    [
        ([], "problem must be an object, got []"),
        ({}, "problem must have the field 'dtype'"),
        (broken(dtype="int8"), "dtype must be one of float16, bfloat16, float32, float64, got 'int8'"),
        (broken(dtype=[]), "dtype must be one of float16, bfloat16, float32, float64, got []"),
        (broken(shape=[1]), "shape must be [n_rows, n_classes], got [1]"),
        (broken(shape=[1, -2]), "shape must be [n_rows, n_classes], got [1, -2]"),
        (broken(shape=[1, True]), "shape must be [n_rows, n_classes], got [1, True]"),
        (broken(shape=[2, 2]), "logits must be a list of 2 rows, as shape says"),
        (broken(shape=[1, 3]), "logits must have 3 entries in each row, as shape says"),
        (broken(shape=[1, 0], logits=[[]], targets=[0]), "logits must have at least one class, got 0"),
        (broken(family=1), "family must be a string, got 1"),
        (broken(logits=7), "logits must be a list of 1 rows, as shape says"),
        (broken(logits=[["1.5", "0x1p+0"]]), "got '1.5'"),
        (broken(logits=[[1.5, "0x1p+0"]]), "got 1.5"),
        (broken(logits=[["0xz", "0x1p+0"]]), "got '0xz'"),
        (broken(logits=[["0x1p+99999", "0x1p+0"]]), "got '0x1p+99999'"),
        (broken(logits=[["0x1.0000000000001p+0", "0x0p+0"]]), "must be float32 numbers, got 0x1.0000000000001p+0"),
        (broken(logits=[["0x1p+200", "0x1p+0"]]), "logits must be float32 numbers, got 0x1.0000000000000p+200"),
        (broken(targets=[2]), "labels must lie in [0, 2), got 2"),
        (broken(targets=[1.0]), "targets must be a list of 1 integers, got [1.0]"),
        (broken(targets=[True]), "targets must be a list of 1 integers, got [True]"),
        (broken(targets=[10**30]), "targets must be 64-bit integers"),
        (broken(objective=None), "objective must be an object, got None"),
        (broken(objective={**OBJECTIVE, "reduction": "max"}), "reduction must be one of none, mean, sum, got 'max'"),
        (broken(objective={**OBJECTIVE, "reduction": []}), "reduction must be one of none, mean, sum, got []"),
        (broken(objective={**OBJECTIVE, "label_smoothing": 0.1}), "label_smoothing must be hexadecimal floats"),
        (broken(objective={**OBJECTIVE, "label_smoothing": "nan"}), "label_smoothing must lie in [0, 1], got nan"),
        (broken(objective={**OBJECTIVE, "class_weights": 3}), "class_weights must be a list or null, got 3"),
        (broken(objective={**OBJECTIVE, "class_weights": ["inf"]}), "class_weights must be finite and at least 0"),
        (broken(objective={**OBJECTIVE, "ignore_index": "x"}), "ignore_index must be an integer or null, got 'x'"),
    ],
)  # fmt: skip
def test_a_malformed_problem_is_refused(plain: Any, reason: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the message is compared below)
        decoded_problem(plain)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_answer_is_kept_with_its_dtypes() -> None:
    got = Answer(np.array(0.5, dtype=np.float32), np.array([[1.5]]), None, None, ("printed 'x'",))
    assert encoded_answer(got) == {
        "fault": None,
        "loss": {"dtype": "float32", "values": hex_of(0.5)},
        "gradient": {"dtype": "float64", "values": [[hex_of(1.5)]]},
        "noise": ["printed 'x'"],
    }


def test_a_fault_is_kept_without_an_answer() -> None:
    got = Answer(None, None, "raised ValueError", "ValueError")
    assert encoded_answer(got) == {"fault": "raised ValueError", "loss": None, "gradient": None, "noise": []}


def test_values_beyond_float64_keep_their_bits() -> None:
    values = np.array([1, np.inf, np.nan], dtype=np.longdouble) + np.array([2.0**-60, 0, 0], dtype=np.longdouble)
    first = f"{hex_of(1)} + {hex_of(2.0**-60)}" if np.finfo(np.longdouble).nmant > 60 else hex_of(1)
    assert encoded_array(values) == [first, "inf", "nan"]


def exactly(values: Enclosures, index: tuple[int, ...]) -> tuple[Fraction, Fraction]:
    high, low, radius = (Fraction(float(part[index])) for part in (values.high, values.low, values.radius))
    scale = Fraction(2) ** int(values.exponent[index])
    return (high + low - radius) * scale, (high + low + radius) * scale


def as_fraction(value: float, beyond: Fraction) -> Fraction:
    return Fraction(value) if np.isfinite(value) else (beyond if value > 0 else -beyond)


def random_enclosures(n: int) -> Enclosures:
    """Enclosures of all sizes, from far below the smallest float64 to above the largest, some of them exact."""
    rng = np.random.default_rng(7)
    high = rng.uniform(1, 2, n) * rng.choice([-1.0, 1.0], n)
    high[::11] = np.sign(high[::11])
    low = rng.uniform(-1, 1, n) * 2.0**-53 * rng.integers(0, 2, n)
    radius = np.exp2(rng.uniform(-120, -20, n)) * rng.integers(0, 2, n)
    exponent = rng.choice([-1200, -1074, -1060, -1022, -1, 0, 1, 1000, 1023, 1024, 1100], n)
    return Enclosures(high, low, radius, exponent.astype(np.int64))


def test_bounds_lie_outside_the_enclosure_and_close_to_it() -> None:
    values = random_enclosures(2000)
    lower, upper = ends_of(values)
    far = Fraction(2) ** 2000
    for index in range(2000):
        bottom, top = exactly(values, (index,))
        below, above = as_fraction(lower[index], far), as_fraction(upper[index], far)
        assert below <= bottom
        assert top <= above
        if max(abs(bottom), abs(top)) < Fraction(2) ** 1023:
            room = max(abs(top) * 6 * Fraction(1, 2**52), 6 * Fraction(1, 2**1074))  # 2 steps and a rounding an end
            assert above - below <= top - bottom + room


def test_bounds_of_exact_values_are_equal() -> None:
    zeros = np.zeros(5)
    values = Enclosures(np.array([0.0, 1.5, np.inf, -np.inf, np.nan]), zeros, zeros, zeros.astype(np.int64))
    lower, upper = ends_of(values)
    assert np.array_equal(lower, values.high, equal_nan=True)
    assert np.array_equal(upper, values.high, equal_nan=True)


def test_bounds_of_a_real_gradient_hold_its_enclosure() -> None:
    truth = enclose(given(np.array([[0.0, 800.0], [1.0, -3.0]]), [1, 0]))
    lower, upper = ends_of(truth.gradient)
    for index in np.ndindex(2, 2):
        bottom, top = exactly(truth.gradient, index)
        assert Fraction(float(lower[index])) <= bottom <= top <= Fraction(float(upper[index]))
