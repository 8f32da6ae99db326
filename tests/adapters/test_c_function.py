"""C: the example is stable, its known mistakes are named, and nothing that a library does is taken on trust."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gradlab.adapters.c_function import HEADER
from gradlab.evaluation.claims import Claims
from gradlab.targets.load import TargetError, load
from tests.runs import checked, run_with_diagnosis

CC = shutil.which("cc")
EXAMPLES = Path(__file__).parents[2] / "docs/examples"
EXAMPLE = (EXAMPLES / "softmax_ce.c").read_text()
WITH_OPTIONS = (EXAMPLES / "softmax_ce_options.c").read_text()
WEIGHTS = np.array([0.5, 1.0, 2.0])
ONE = """
#include "softmax_ce.h"
int softmax_ce_f64(const double *logits, const int64_t *labels, int64_t n_rows, int64_t n_classes,
                   double *loss, double *gradient) {{
    (void)logits; (void)labels; (void)n_rows; (void)n_classes; (void)loss; (void)gradient;
    {body}
}}
"""
LOGITS = np.array([[1.0, 2.0, 3.0], [0.5, 0.0, -1.0]])
LABELS = np.array([0, 2])

pytestmark = pytest.mark.skipif(CC is None, reason="there is no C compiler, cc")

Build = Callable[[str], str]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Compiles a source, and returns the target that is its function softmax_ce."""

    def built(source: str) -> str:
        (tmp_path / "ce.c").write_text(source)
        flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-I{HEADER.parent}"]
        subprocess.run([str(CC), *flags, "-o", "libce.so", "ce.c", "-lm"], cwd=tmp_path, check=True)
        return f"c:{tmp_path}/libce.so:softmax_ce"

    return built


def test_the_example_is_stable(build: Build) -> None:
    report = checked(build(EXAMPLE))
    assert report.verdict == "stable", report
    assert report.dtypes == ("float32", "float64")


@pytest.mark.parametrize(
    ("right", "mistaken", "verdict", "defect"),
    [
        (") / n_rows;", ");", "wrong", "gradient_not_divided"),
        pytest.param(" - largest", "", "unstable", "no_shift", marks=pytest.mark.more),
        pytest.param(" - (j == labels[i])", "", "wrong", "one_hot_forgotten", marks=pytest.mark.more),
    ],
)
def test_a_mistake_is_named(build: Build, right: str, mistaken: str, verdict: str, defect: str) -> None:
    (implementation,) = load(build(EXAMPLE.replace(right, mistaken)), {})
    report = run_with_diagnosis(implementation, "float64")
    assert report.verdict == verdict
    assert report.diagnosis is not None
    assert report.diagnosis.defects == (defect,)


def test_a_library_claims_the_dtypes_that_it_has(build: Build) -> None:
    (found,) = load(build(ONE.format(body="return 0;")), {})
    assert (found.name, found.claims) == ("softmax_ce", Claims(dtypes=("float64",), keeps_dtype=True))


def test_what_is_not_written_is_nan(build: Build) -> None:
    loss, gradient = load(build(ONE.format(body="gradient[1] = 2; return 0;")), {})[0].function(LOGITS, LABELS)
    assert np.isnan(loss)
    assert np.argwhere(~np.isnan(gradient)).tolist() == [[0, 1]]


def test_rows_are_in_order_whatever_the_layout(build: Build) -> None:
    (found,) = load(
        build(ONE.format(body="for (int64_t k = 0; k < 6; k++) gradient[k] = logits[k];\n    return 0;")), {}
    )
    assert np.array_equal(found.function(np.asfortranarray(LOGITS), LABELS)[1], LOGITS)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return 7;", "the C function must return 0, returned 7"),
        ("gradient[n_rows * n_classes] = 1; return 0;", "must write the gradient alone, wrote before or after it"),
        ("gradient[-1] = 1; return 0;", "must write the gradient alone, wrote before or after it"),
        ("loss[1] = 1; return 0;", "must write the loss alone, wrote before or after it"),
    ],
)
def test_a_broken_rule_is_told(build: Build, body: str, reason: str) -> None:
    (found,) = load(build(ONE.format(body=body)), {})
    with pytest.raises(RuntimeError, match=reason):
        found.function(LOGITS, LABELS)


def test_writing_to_the_logits_is_seen(build: Build) -> None:
    body = "((double *)logits)[0] = 7; return 0;"
    logits = LOGITS.copy()
    load(build(ONE.format(body=body)), {})[0].function(logits, LABELS)
    assert logits[0, 0] == 7


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ([0, 3], r"labels must lie in \[0, 3\), got 0 to 3"),
        ([-1, 0], r"labels must lie in \[0, 3\), got -1 to 0"),
        ([0.5, 1.0], "labels must be integers, got float64"),
        ([0], r"must have shapes \(N, K\) and \(N,\), got \(2, 3\) and \(1,\)"),
    ],
)
def test_what_c_could_not_bear_is_refused_before_the_call(build: Build, labels: list[float], reason: str) -> None:
    (found,) = load(build(ONE.format(body="return 0;")), {})
    with pytest.raises((TypeError, ValueError), match=reason):
        found.function(LOGITS, np.array(labels))


def test_a_library_without_such_a_function(build: Build) -> None:
    target = build(ONE.format(body="return 0;")).replace("softmax_ce", "softmax")
    with pytest.raises(TargetError, match=r"libce.so must define softmax_f32 or softmax_f64, as in .*softmax_ce.h"):
        load(target, {})


def test_what_a_library_says_that_it_takes_is_claimed(build: Build) -> None:
    (found,) = load(build(WITH_OPTIONS), {})
    assert found.claims.reduction == ("mean", "sum", "none")
    real, of_rows = ("softcap", "temperature", "z_loss", "poly_epsilon"), ("sample_weights", "upstream")
    assert found.claims.options == ("label_smoothing", "class_weights", "ignore_index", *real, *of_rows)


def test_what_it_does_not_take_is_not_claimed(build: Build) -> None:
    few = re.sub(r"(?<=softmax_ce_takes = )[^;]*", "SOFTMAX_CE_IGNORE_INDEX", WITH_OPTIONS)
    assert load(build(few), {})[0].claims == Claims(options=("ignore_index",), keeps_dtype=True)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"reduction": "sum"},
        {"reduction": "none", "label_smoothing": 0.25},
        {"class_weights": WEIGHTS},
        {"class_weights": np.repeat(WEIGHTS, 2)[::2], "label_smoothing": 0.5},
        {"ignore_index": 0},
        {"ignore_index": -100, "reduction": "none", "class_weights": WEIGHTS},
        {"softcap": 1.5},
        {"sample_weights": np.array([0.5, 3.0]), "class_weights": WEIGHTS},
        {"sample_weights": np.array([0.0, 3.0]), "reduction": "sum"},
        {"upstream": np.array([-1.0, 2.0]), "sample_weights": np.array([0.5, 3.0]), "reduction": "none"},
        {"temperature": 0.5, "reduction": "none"},
        {"z_loss": 0.25, "softcap": 2.0, "temperature": 2.0},
        {"poly_epsilon": -0.5, "class_weights": WEIGHTS, "label_smoothing": 0.25, "ignore_index": 0},
    ],
    ids=str,
)
def test_options_arrive_as_they_are_meant(build: Build, options: dict[str, object]) -> None:
    labels = np.array([0, -100 if options.get("ignore_index") == -100 else 2])
    seen = load(build(WITH_OPTIONS), {})[0].function(LOGITS, labels, **options)
    wanted = load("every_option", {})[0].function(LOGITS, labels, **options)
    for one, other in zip(seen, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=4e-15, atol=4e-15)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"reduction": "median"}, "reduction must be one of mean, sum, none, got 'median'"),
        ({"class_weights": WEIGHTS[:2]}, r"class_weights must have shape \(3,\), got \(2,\)"),
        ({"sample_weights": WEIGHTS}, r"sample_weights must have shape \(2,\), got \(3,\)"),
        ({"ignore_index": 1}, r"labels must lie in \[0, 3\), got -1 to -1"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_the_call(
    build: Build, options: dict[str, object], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        load(build(WITH_OPTIONS), {})[0].function(LOGITS, np.array([1, -1]), **options)


def test_an_option_that_a_library_does_not_take_cannot_be_claimed(build: Build) -> None:
    few = re.sub(r"(?<=softmax_ce_takes = )[^;]*", "SOFTMAX_CE_IGNORE_INDEX", WITH_OPTIONS)
    with pytest.raises(TargetError, match="claims z_loss, so it must take the keyword z_loss"):
        load(build(few), {"options": ["z_loss"]})


def test_a_library_without_options_takes_none(build: Build) -> None:
    with pytest.raises(TargetError, match="so it must take the keyword label_smoothing"):
        load(build(EXAMPLE), {"options": ["label_smoothing"]})


def test_a_library_that_says_what_it_takes_has_the_functions_for_it(build: Build) -> None:
    source = EXAMPLE + "\nconst uint32_t softmax_ce_takes = 0;\n"
    with pytest.raises(TargetError, match=r"must define softmax_ce_options_f32 or softmax_ce_options_f64, as in "):
        load(build(source), {})


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("c:nope.so:softmax_ce", "nope.so does not exist"),
        ("c:softmax_ce", "c:softmax_ce must be a library and a function after c:, as in c:./libce.so:softmax_ce"),
        (f"c:{__file__}:softmax_ce", f"{__file__} must be a shared library: "),
    ],
)
def test_a_target_that_is_no_library(target: str, reason: str) -> None:
    with pytest.raises(TargetError) as caught:
        load(target, {})
    assert str(caught.value).startswith(reason)
    assert "\n" not in str(caught.value)
