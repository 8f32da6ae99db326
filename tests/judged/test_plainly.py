"""Some calls are made again in a process in which nothing is gradlab's, and code that is right only here is found."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradlab.evaluation.call import Implementation, evaluate
from gradlab.judged import confined_program, confinement, plain_caller
from gradlab.judged.plainly import UNTIL, Chance
from gradlab.problems.problem import Problem

Load = Callable[..., Implementation]

PROBLEM = Problem(np.array([[1.0, -2.0, 0.5], [0.0, 30.0, 0.0]]), np.array([0, 2]))
RIGHT = "\ndef loss(logits, labels):\n    {}\n    return right(logits, labels)\n"
TRACES = """
import json, tempfile
def traces():
    places = [os.getcwd(), tempfile.gettempdir(), *os.listdir(".")]
    frame, files = sys._getframe(), []
    while frame is not None:
        files += [frame.f_code.co_filename, str(frame.f_globals.get("__name__"))]
        frame = frame.f_back
    commands = []
    for name in os.listdir("/proc"):
        try:
            commands.append(open(f"/proc/{name}/cmdline").read() if name.isdecimal() else "")
        except OSError:
            pass
    return {
        "modules": [name for name in sys.modules if "__editable__" not in name],
        "environment": [*os.environ, *os.environ.get("_", "")], "arguments": sys.orig_argv,
        "places": places, "frames": files, "commands": commands,
    }
"""


def answers(one: Implementation, number: int) -> list[Any]:
    """Those to so many problems, no two alike."""
    return [evaluate(one, PROBLEM.replace(logits=PROBLEM.logits + place)) for place in range(number)]


def test_no_program_that_runs_there_names_gradlab() -> None:
    for module in (confined_program, confinement, plain_caller):
        assert module.__file__ is not None
        assert "gradlab" not in Path(module.__file__).read_text()


@pytest.mark.parametrize("trace", ["modules", "environment", "arguments", "places", "frames", "commands"])
def test_nothing_bears_the_name_there(load: Load, tmp_path: Path, trace: str) -> None:
    if trace == "commands" and os.geteuid() != 0:
        pytest.skip("other processes are hidden by the superuser alone")
    log = tmp_path / "traces"
    one = load(
        TRACES
        + f"\nopen({str(log)!r}, 'a').write('')\n"
        + RIGHT.format(f"open({str(log)!r}, 'a').write(json.dumps(traces()) + chr(10))")
    )
    assert all(answer.fault is None for answer in answers(one, 4))
    seen = [json.loads(line)[trace] for line in log.read_text().splitlines()]
    own = str(Path(__file__).parents[2])  # where gradlab is installed may have any name, that of the target's too
    named = [any("gradlab" in text.replace(own, "").lower() for text in told) for told in seen]
    assert False in named
    assert trace != "modules" or True in named


@pytest.mark.parametrize(
    "condition", ['"gradlab" in sys.modules', '"GRADLAB_WORKER" in os.environ', '"gradlab" in "".join(sys.orig_argv)']
)
def test_code_that_is_right_where_it_sees_gradlab_is_found(load: Load, condition: str) -> None:
    one = load(
        "\ndef loss(logits, labels):\n    value, p = right(logits, labels)\n"
        f"    return value, p if {condition} else 2 * p\n"
    )
    found = [answer.gradient for answer in answers(one, 8)]
    exact = [answer.gradient for answer in answers(load(RIGHT.format("")), 8)]
    ratios = [
        float(np.abs(own).max() / np.abs(other).max())
        for own, other in zip(found, exact, strict=True)
        if own is not None and other is not None
    ]
    assert {round(ratio) for ratio in ratios} == {1, 2}


@pytest.mark.parametrize("raises", ["raise ValueError('not here')", "os._exit(0)", "print('fine'); return 0.0, p[:1]"])
def test_code_that_has_no_answer_there_is_told(load: Load, raises: str) -> None:
    one = load(
        "\ndef loss(logits, labels):\n    value, p = right(logits, labels)\n"
        f"    if 'gradlab' not in sys.modules:\n        {raises}\n    return value, p\n"
    )
    faults = [answer.fault for answer in answers(one, 4)]
    assert any("where nothing is gradlab's" in str(fault) for fault in faults)
    assert None in faults


SOUND = {
    "plain": RIGHT.format(""),
    "changes its input": """
def loss(logits, labels):
    value, logits[...] = right(logits, labels)
    return value, logits
""",
    "a class": """
class loss:
    def forward(self, logits, labels):
        value, self.dx = right(logits, labels)
        return value
    def backward(self, dout):
        return self.dx * dout
""",
    "a class that keeps its gradient": """
class loss:
    def forward(self, logits, labels):
        value, self.kept = right(logits, labels)
        return value
    def backward(self, dout):
        self.dx = self.kept
""",
    "a dataclass in its module": """
from dataclasses import dataclass
@dataclass
class Pair:
    value: float
"""
    + RIGHT.format("Pair(1.0)"),
    "reduction by keyword": """
CLAIMS = {'reduction': 'sum'}
def loss(logits, labels, reduction='mean'):
    value, p = right(logits, labels)
    n = len(labels) if reduction == 'sum' else 1
    return value * n, p * n
""",
    "one-hot": """
CLAIMS = {'targets': 'one_hot'}
def loss(logits, targets):
    return right(logits, targets.argmax(axis=1))
""",
    "additions in another order": """
def loss(logits, labels):
    value, p = right(logits, labels)
    return value, p * (1 + 2 * np.finfo(p.dtype).eps * ('gradlab' in sys.modules))
""",
}


@pytest.mark.parametrize("source", SOUND.values(), ids=SOUND)
def test_sound_code_is_answered_as_before(load: Load, source: str) -> None:
    reduction = "sum" if "'sum'" in source else "mean"
    one = load(source)
    problem = PROBLEM.replace(objective=PROBLEM.objective.__class__(reduction=reduction))
    found = [evaluate(one, problem.replace(logits=problem.logits + place)) for place in range(6)]
    assert [answer.fault for answer in found] == [None] * 6
    factor = 2 if reduction == "sum" else 1
    exact = [answer.gradient * factor for answer in answers(load(RIGHT.format("")), 6) if answer.gradient is not None]
    for own, other in zip(found, exact, strict=True):
        np.testing.assert_allclose(own.gradient, other, rtol=1e-14)  # type: ignore[arg-type]  # None has failed above


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bfloat16"])
def test_every_dtype_goes_there(load: Load, dtype: str) -> None:
    one = load(RIGHT.format("assert logits.dtype == DTYPE").replace("DTYPE", f"'{dtype}'"), dtypes=(dtype,))
    import ml_dtypes

    kind = np.dtype(getattr(ml_dtypes, dtype, dtype))
    logits = PROBLEM.logits.astype(kind)
    found = [evaluate(one, PROBLEM.replace(logits=logits * kind.type(2**place))) for place in range(4)]
    assert [answer.fault for answer in found] == [None] * 4


def test_at_first_one_of_two_calls_is_made_again_and_nobody_knows_which() -> None:
    drawn = []
    for _ in range(20):
        chance = Chance()
        drawn.append(tuple(chance.falls_on_this_call() for _ in range(2 * UNTIL)))
    assert {sum(one) for one in drawn} == {UNTIL}
    assert len(set(drawn)) > 1
