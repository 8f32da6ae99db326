"""Each docstring says where its implementation breaks: one entry here per statement, and all of them must stay true."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradlab.implementations
from gradlab.implementations.online import online
from gradlab.targets.shipped import layers

U32, U64 = "float32", "float64"
SHIFTING = ("shifted", "log_space", "online", "loop", "every_option", "blocked")
KEEPING_DIGITS = ("complement", "widened", "fused")
ROUNDING_DIFFERENCES = ("complement", "fused")
ACCURATE = ("accurate", "fused_accurate")

# implementation, dtype, logits of one row, label, what happens
Failure = tuple[str, str, list[float], int, str]

FAILURES: list[Failure] = [
    *((name, U32, [17.0, 0.0], 0, "loss_and_target_are_zero") for name in SHIFTING),
    *((name, U64, [37.0, 0.0], 0, "loss_and_target_are_zero") for name in SHIFTING),
    ("textbook", U32, [18.0, 0.0], 0, "loss_and_target_are_zero"),
    ("textbook", U64, [38.0, 0.0], 0, "loss_and_target_are_zero"),
    *((name, U32, [16.0, 0.0], 0, "is_not_zero") for name in (*SHIFTING, "textbook")),
    *((name, U64, [36.0, 0.0], 0, "is_not_zero") for name in (*SHIFTING, "textbook")),
    *((name, U32, [87.0, 0.0], 0, "keeps_its_digits") for name in KEEPING_DIGITS),
    *((name, U64, [708.0, 0.0], 0, "keeps_its_digits") for name in KEEPING_DIGITS),
    *((name, U32, [103.0, 0.0], 0, "is_not_zero") for name in ROUNDING_DIFFERENCES),
    *((name, U64, [744.0, 0.0], 0, "is_not_zero") for name in ROUNDING_DIFFERENCES),
    ("textbook", U32, [88.73, 0.0], 0, "largest_is_nan"),
    ("textbook", U32, [88.72, 0.0], 1, "is_finite"),
    ("textbook", U64, [709.79, 0.0], 0, "largest_is_nan"),
    ("textbook", U64, [709.78, 0.0], 1, "is_finite"),
    ("textbook", U32, [-103.98, -103.98], 0, "row_is_nan"),
    ("textbook", U32, [-103.97, -103.97], 0, "is_finite"),
    ("textbook", U64, [-745.14, -745.14], 0, "row_is_nan"),
    ("textbook", U64, [-745.13, -745.13], 0, "is_finite"),
    ("textbook", U32, [0.0, -103.98], 1, "loss_is_inf"),
    ("textbook", U32, [0.0, -103.97], 1, "is_finite"),
    ("textbook", U64, [0.0, -745.14], 1, "loss_is_inf"),
    ("textbook", U64, [0.0, -745.13], 1, "is_finite"),
    *((name, U32, [103.0, 0.0], 0, "keeps_its_digits") for name in ACCURATE),
    *((name, U64, [744.0, 0.0], 0, "keeps_its_digits") for name in ACCURATE),
    *((name, U32, [0.1, -80.3], 0, "keeps_its_digits") for name in ACCURATE),
    *((name, U64, [0.3, -600.7], 0, "keeps_its_digits") for name in ACCURATE),
    *((name, U32, [0.1, -80.3], 0, "off_by_tens_of_ulp") for name in ROUNDING_DIFFERENCES),
    *((name, U64, [0.3, -600.7], 0, "off_by_hundreds_of_ulp") for name in ROUNDING_DIFFERENCES),
    ("widened", U64, [0.3, -600.7], 0, "off_by_hundreds_of_ulp"),
    ("widened", U32, [0.1, -80.3], 0, "correctly_rounded"),
    ("widened", U32, [0.3, -70.7], 0, "correctly_rounded"),
]

# what happens -> does the answer show it; errors are in ULP, that of the loss first, then that of the target's entry
HAPPENS: dict[str, Any] = {
    "loss_and_target_are_zero": lambda loss, target, errors: loss == 0 and target == 0,
    "is_not_zero": lambda loss, target, errors: loss > 0 and target < 0,
    "keeps_its_digits": lambda loss, target, errors: max(errors) < 4,
    "largest_is_nan": lambda loss, target, errors: np.isnan(loss) and np.isnan(target),
    "is_finite": lambda loss, target, errors: np.isfinite(loss) and np.isfinite(target),
    "row_is_nan": lambda loss, target, errors: np.isnan(loss) and np.isnan(target),
    "loss_is_inf": lambda loss, target, errors: np.isposinf(loss) and target == -1,
    "off_by_tens_of_ulp": lambda loss, target, errors: 10 < min(errors) and max(errors) <= 64 + 4,
    "off_by_hundreds_of_ulp": lambda loss, target, errors: 100 < min(errors) and max(errors) <= 512 + 4,
    "correctly_rounded": lambda loss, target, errors: max(errors) <= 0.51,
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # overflow, 0 / 0 and log 0 are the very failures
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: "-".join(map(str, failure)))
def test_it_breaks_as_its_docstring_says(failure: Failure, exact: Any, ulps: Any) -> None:
    name, dtype, row, label, happens = failure
    function = getattr(importlib.import_module(f"gradlab.implementations.{name}"), name)
    logits, labels = np.array([row], dtype=dtype), np.array([label])
    loss, gradient = function(logits, labels)
    true_loss, true_gradient = exact(logits, labels)
    errors = [0.0, 0.0]
    if np.isfinite(loss) and np.isfinite(gradient).all():
        errors = [ulps(loss, true_loss), ulps(gradient[0, label], true_gradient[0][label])]
    assert HAPPENS[happens](loss, gradient[0, label], errors), (loss, gradient, errors)


def test_every_implementation_has_an_entry() -> None:
    folder = Path(gradlab.implementations.__path__[0])
    names = {path.stem for path in folder.glob("[a-z]*.py")} - layers().keys()  # those have tests of their own
    missing = names - {name for name, *_ in FAILURES}
    assert not missing, f"add a row to FAILURES of this file for {', '.join(sorted(missing))}"
    assert {name for name, *_ in FAILURES} == names


@pytest.mark.parametrize("name", sorted({name for name, *_ in FAILURES}))
def test_every_docstring_says_where_it_breaks(name: str) -> None:
    function = getattr(importlib.import_module(f"gradlab.implementations.{name}"), name)
    assert "Breaks:" in function.__doc__


@pytest.mark.parametrize("dtype", [U32, U64])
def test_rising_logits_cost_the_online_form_five_times_the_error_of_falling_ones(
    dtype: str, exact: Any, ulps: Any
) -> None:
    rising = (np.arange(1000) * 1e-3)[None].astype(dtype)
    _, true_gradient = exact(rising, [0])
    _, up = online(rising, [0])
    _, down = online(rising[:, ::-1], [999])
    expected = true_gradient[0][500]
    assert ulps(up[0, 500], expected) > 4 * ulps(down[0, 499], expected)
