"""What a call leaves changed in its process is told, and put back."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.checks.contract import leaves_the_process_as_it_was
from gradlab.evaluation.call import Implementation, answer
from gradlab.evaluation.process_state import SHARED, arithmetic, watch_process
from gradlab.implementations.shifted import shifted
from gradlab.problems.problem import Problem

PROBLEM = Problem(np.array([[0.0, 1.0]]), np.array([0]))
UPWARD, DOWNWARD, TOWARD_ZERO = 0x800, 0x400, 0xC00  # FE_UPWARD, ... of <fenv.h> on x86


def changed_by(harm: Callable[[], Any]) -> tuple[str, ...]:
    def harmful(logits: Any, labels: Any) -> Any:
        given = shifted(logits, labels)
        harm()
        return given

    implementation = Implementation("harmful", harmful)
    found = leaves_the_process_as_it_was(implementation, PROBLEM)
    changed = answer(implementation, PROBLEM).changed
    assert [getattr(one, "holds", None) for one in found] == [not changed]
    assert watch_process()() == ()  # it is put back
    return changed


def test_a_call_that_changes_nothing_is_told_nothing_of() -> None:
    assert changed_by(lambda: None) == ()


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers of the modes are those of x86")
@pytest.mark.parametrize(("mode", "said"), [(UPWARD, "upward"), (DOWNWARD, "downward"), (TOWARD_ZERO, "toward zero")])
def test_another_rounding_is_told_and_put_back(mode: int, said: str) -> None:
    assert changed_by(lambda: ctypes.CDLL(None).fesetround(mode)) == (f"the rounding is {said}, was to nearest",)
    assert arithmetic() == ("to nearest", False, False)


@pytest.mark.skipif(os.uname().machine != "x86_64" or shutil.which("cc") is None, reason="takes SSE and a C compiler")
@pytest.mark.parametrize(("bits", "seen"), [("0x8000", (True, False)), ("0x0040", (True, True))])
def test_flushing_subnormal_numbers_is_told_and_put_back(tmp_path: Path, bits: str, seen: tuple[bool, bool]) -> None:
    source, library = tmp_path / "flush.c", tmp_path / "flush.so"
    source.write_text(f"#include <xmmintrin.h>\nvoid flush(void) {{ _mm_setcsr(_mm_getcsr() | {bits}); }}\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    flush = ctypes.CDLL(str(library)).flush
    during: list[Any] = []

    def harm() -> None:
        flush()
        during.append(arithmetic())

    changed = changed_by(harm)
    assert during == [("to nearest", *seen)]
    assert changed == ("subnormal numbers are taken for 0, were not",)


def test_a_function_of_numpy_that_is_replaced_is_told_and_put_back() -> None:
    own = np.exp
    assert changed_by(lambda: setattr(np, "exp", np.exp2)) == ("np.exp has changed",)
    assert changed_by(lambda: delattr(np, "exp")) == ("np.exp has changed",)
    assert np.exp is own


@pytest.mark.parametrize("module", SHARED, ids=lambda module: module.__name__)
def test_a_function_of_a_shared_library_that_is_replaced_is_told_and_put_back(module: Any) -> None:
    name = SHARED[module][0]
    own = getattr(module, name)

    def other(*given: Any, **named: Any) -> Any:
        return own(*given, **named)

    assert changed_by(lambda: setattr(module, name, other)) == (
        f"{module.__name__.replace('numpy', 'np')}.{name} has changed",
    )
    assert getattr(module, name) is own


def test_settings_of_numpy_are_told_and_put_back() -> None:
    errors, printing = np.geterr(), np.get_printoptions()
    assert changed_by(lambda: np.seterr(over="ignore")) == ("np.seterr's settings have changed",)
    assert changed_by(lambda: np.set_printoptions(precision=3)) == ("np.set_printoptions' settings have changed",)
    assert (np.geterr(), np.get_printoptions()) == (errors, printing)


def test_another_current_folder_is_told_and_put_back(tmp_path: Path) -> None:
    here = Path.cwd()
    assert changed_by(lambda: os.chdir(tmp_path)) == ("the current folder is another one",)
    assert Path.cwd() == here
