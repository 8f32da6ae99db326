"""The compiled loops give NumPy's bits, are loaded only when that pays, and are done without where that fails."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.oracle.enclosure import Enclosures, Truth, enclose_by_double_double
from gradlab.oracle.fast import compiled, loop_kernels, row_softmax
from gradlab.oracle.fast.compiled import ARRAY_KERNELS, BREAK_EVEN, Kernels, kernels_for, outcome
from gradlab.oracle.intervals import normalised_parts
from gradlab.problems.objective import Objective
from gradlab.problems.problem import Problem

Array = np.ndarray[Any, np.dtype[Any]]
RNG = np.random.default_rng(5)
NORMAL = RNG.normal(0, 1, (6, 203))
MASK = RNG.uniform(size=NORMAL.shape) < 0.4
MASK[:, 7] = False

BLOCKS = {
    "ordinary": NORMAL * 10,
    "one class": NORMAL[:, :1],
    "two classes": NORMAL[:, :2],
    "one row": NORMAL[:1] * 10,
    "ties": np.round(NORMAL),
    "all equal": np.zeros_like(NORMAL),
    "masked": np.where(MASK, -np.inf, NORMAL),
    "all but one masked": np.where(np.arange(203) == 7, NORMAL, -np.inf),
    "about the least argument": -2048 * (1 - np.eye(6, 203)) * (1 + NORMAL * 2.0**-50),
    "far below the least argument": NORMAL * 1e5,
    "exponentials that underflow": NORMAL * 700,
    "huge": NORMAL * 2.0**1015,
    "subnormal": NORMAL * 2.0**-1060,
    "many scales": NORMAL * 10.0 ** RNG.uniform(-300, 3, NORMAL.shape),
    "a multiple of the table's step": np.round(NORMAL * 1e5) * (np.log(2) / 4096),
}


def coefficients(shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Pairs from 2^-150 to 1, some of them 0; 0 where the masked blocks hold -inf."""
    rng = np.random.default_rng(6)
    high = 2.0 ** rng.uniform(-150, 0, shape)
    high[rng.uniform(size=shape) < 0.2] = 0.0
    return high, high * rng.uniform(-(2.0**-54), 2.0**-54, shape)


def bits(kernels: Kernels, logits: Array) -> list[bytes]:
    high, low = coefficients(logits.shape)
    high[:, ::9] *= 2.0**-730  # so small that what counting an exponent as the farthest costs shows in the radius
    low[:, ::9] *= 2.0**-730
    high[logits == -np.inf] = low[logits == -np.inf] = 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # costs of huge logits: the callers keep to 2^400
        return outcome(kernels, logits, (high, low))


@pytest.fixture
def loops() -> Kernels:
    """The compiled kernels."""
    pytest.importorskip("numba")
    kernels = compiled.compiled_kernels()
    assert kernels is not None
    return kernels


@pytest.mark.parametrize("block", BLOCKS)
def test_compiled_loops_give_the_bits_of_numpy(block: str, loops: Kernels) -> None:
    assert bits(loops, BLOCKS[block]) == bits(ARRAY_KERNELS, BLOCKS[block])


@pytest.mark.parametrize("block", BLOCKS)
def test_loops_that_are_not_compiled_give_the_bits_of_numpy(block: str) -> None:
    plain = Kernels(*(getattr(loop_kernels, name) for name in Kernels._fields))
    assert bits(plain, BLOCKS[block]) == bits(ARRAY_KERNELS, BLOCKS[block])


SIZES = [0.0, 2.0**-1074, 1.3 * 2.0**-1040, 2.0**-1022, 1.5, 1.7 * 2.0**1023]
SIZES += [2.0**exponent for exponent in (-1001, -1000, -999, 999, 1000, 1001)]


@pytest.mark.parametrize("high", [*SIZES, *(-size for size in SIZES)])
def test_a_number_of_any_size_is_normalised_as_numpy_does_it(high: float) -> None:
    parts = (high, high * 2.0**-54, abs(high) * 2.0**-90, np.int64(7))
    found, expected = compiled._normalise(*parts), normalised_parts(*(np.array(part) for part in parts))
    assert [np.asarray(part).tobytes() for part in found] == [np.asarray(part).tobytes() for part in expected]


def test_what_is_tried_before_the_loops_are_used_has_many_digits_in_all_its_parts() -> None:
    found = outcome(ARRAY_KERNELS, *compiled._sample())
    for part in (1, 8, 9, 12, 13):  # low of exponentials; high and low of products and of differences
        assert (np.frombuffer(found[part]) != 0).mean() > 0.4


OBJECTIVES = [
    Objective(),
    Objective(reduction="sum", class_weights=tuple(np.linspace(0, 3, 203).tolist())),
    Objective(label_smoothing=0.1),
    Objective(targets="probability"),
]


def bits_of_truth(problem: Problem, kernels: Kernels, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    monkeypatch.setattr(row_softmax, "kernels_for", lambda n_entries: kernels)
    truth: Truth = enclose_by_double_double(problem)
    intervals: list[Enclosures] = [truth.losses, truth.loss, truth.gradient]
    return [part.tobytes() for found in intervals for part in (found.high, found.low, found.radius, found.exponent)]


@pytest.mark.parametrize("name", ["float32", "float64"])
@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("block", [name for name, logits in BLOCKS.items() if logits.shape[1] == 203])
def test_enclosures_do_not_depend_on_the_kernels(
    block: str, objective: Objective, name: str, loops: Kernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    with np.errstate(over="ignore", under="ignore"):
        logits = BLOCKS[block].astype(name)
    targets = np.full(len(logits), 7)
    if objective.targets == "probability":
        targets = (coefficients(logits.shape)[0] * (logits != -np.inf)).astype(name)
    problem = Problem(logits, targets, objective)
    assert bits_of_truth(problem, loops, monkeypatch) == bits_of_truth(problem, ARRAY_KERNELS, monkeypatch)


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process in which no kernels were asked for yet."""
    monkeypatch.setattr(compiled, "_progress", compiled._Progress())
    monkeypatch.setattr(compiled, "compiled_kernels", compiled.compiled_kernels.__wrapped__)


@pytest.mark.usefixtures("fresh")
def test_without_numba_numpy_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    assert kernels_for(BREAK_EVEN) is ARRAY_KERNELS


@pytest.mark.usefixtures("fresh")
def test_where_compiling_fails_numpy_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing() -> Kernels:
        raise OSError("LLVM")

    monkeypatch.setattr(compiled, "_compile", failing)
    assert kernels_for(BREAK_EVEN) is ARRAY_KERNELS


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("name", Kernels._fields)
def test_loops_with_one_other_bit_are_not_used(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(*arguments: Any) -> Any:
        found = getattr(ARRAY_KERNELS, name)(*arguments)
        written = arguments[-1][0][0] if name == "exponentials" else arguments[-1][0] if found is None else found[0]
        written.flat[3] = np.nextafter(written.flat[3], 2)
        return found

    monkeypatch.setattr(compiled, "_compile", lambda: ARRAY_KERNELS._replace(**{name: changed}))
    assert kernels_for(BREAK_EVEN) is ARRAY_KERNELS


@pytest.mark.usefixtures("fresh")
def test_loops_are_loaded_once_as_many_entries_have_come_by_as_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    same = Kernels(*ARRAY_KERNELS)
    monkeypatch.setattr(compiled, "_compile", lambda: same)
    chosen = [kernels_for(n_entries) is same for n_entries in (BREAK_EVEN // 2, BREAK_EVEN - BREAK_EVEN // 2 - 1, 1, 1)]
    assert chosen == [False, False, True, True]


def test_a_small_problem_does_not_load_numba() -> None:
    code = "import sys, numpy as np; from gradlab.oracle.enclosure import enclose; from gradlab import Problem;"
    code += "enclose(Problem(np.zeros((200, 100)), np.zeros(200, int))); print('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "False\n"


def test_what_is_kept_on_disk_goes_by_another_name_once_a_source_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = []
    for text in ("u = 2.0**-53", "u = 2.0**-52"):
        (tmp_path / "double_double.py").write_text(text)
        monkeypatch.setattr(compiled, "__file__", str(tmp_path / "fast" / "compiled.py"))
        names.append(compiled._digest_of_sources())
    assert names[0] != names[1]


def test_the_name_on_disk_goes_by_the_source_of_everything_that_is_compiled() -> None:
    loops = [getattr(loop_kernels, name) for name in Kernels._fields]
    functions = [*loops, *compiled._SHARED, *compiled._ON_NUMBERS, *compiled._ON_NUMBERS.values()]
    assert {Path(inspect.getfile(one)) for one in functions} <= {*compiled._sources()}
